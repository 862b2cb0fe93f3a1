/// Commands that a client with one reply for each command must not send.
enum CommandRules {
    /// Why the command is refused, or `nil`. After a refused command the replies would no longer match the commands.
    static func refusal(of command: RedisCommand) -> RedisError? {
        guard let first = command.arguments.first else {
            return .invalidConfiguration(
                "a command needs at least a name; Redis answers an empty one with nothing")
        }
        // Most commands are told apart by their first letter alone, without making text of them.
        guard case .text(let name) = first.storage, let letter = name.utf8.first, isSuspicious(letter)
        else {
            return nil
        }
        let upper = name.uppercased()
        if unpaired.contains(upper) || (upper == "CLIENT" && command.argument(1) == "REPLY")
            || (upper == "HELLO" && command.argument(1) != nil && command.argument(1) != "2")
        {
            return .invalidConfiguration(
                "\(upper) is refused: its replies don't come one for each command")
        }
        return nil
    }

    private static let unpaired: Set<String> = [
        "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE",
        "MONITOR", "SYNC",
        "PSYNC",
        "RESET",
    ]

    private static func isSuspicious(_ letter: UInt8) -> Bool {
        switch letter | 0x20 {
        case UInt8(ascii: "s"), UInt8(ascii: "p"), UInt8(ascii: "u"), UInt8(ascii: "m"),
            UInt8(ascii: "r"),
            UInt8(ascii: "c"), UInt8(ascii: "h"):
            true
        default: false
        }
    }
}

extension RedisCommand {
    fileprivate func argument(_ index: Int) -> String? {
        index < arguments.count ? arguments[index].text.uppercased() : nil
    }
}
