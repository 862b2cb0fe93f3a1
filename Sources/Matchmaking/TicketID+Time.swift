import GameModel

extension TicketID {
    /// When the name was made, read from its ULID (the first ten characters are Unix ms in Crockford's base 32); `nil`
    /// where the name is of another form.
    public var madeAt: Instant? {
        guard let ulid = rawValue.split(separator: ".").last, ulid.utf8.count == 26 else { return nil }
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
        var milliseconds: Int64 = 0
        for byte in ulid.utf8.prefix(10) {
            guard let digit = alphabet.firstIndex(of: byte) else { return nil }
            milliseconds = milliseconds << 5 | Int64(digit)
        }
        return Instant(milliseconds: milliseconds)
    }
}
