import Foundation
import GameModel

#if canImport(Glibc)
    import Glibc
#endif

/// Changing the keys: a new one that follows, and an end for those whose tokens are all over.
extension KeyFolder {
    /// Why a key was not retired.
    public struct Kept: Sendable, Hashable {
        public let key: SigningKeyState
        public let reason: String
    }

    /// Every key, the newest first. Throws ``AccountsError/corrupt(_:)``.
    public func states() throws(AccountsError) -> [SigningKeyState] {
        let keys = try load()
        var states: [SigningKeyState] = []
        for key in keys.keys { states.append(try state(of: key, among: keys)) }
        return states
    }

    /// Makes a key that follows the others: published as soon as the processes read the folder, it signs once it is as
    /// old as the time to publish. Throws ``AccountsError/corrupt(_:)``.
    public func rotate() throws(AccountsError) -> SigningKeyState {
        let lock = try FolderLock(path)
        defer { lock.release() }
        let keys = try load()
        let number = (keys.keys.first?.number ?? 0) + 1
        guard try create(number: number) else { throw .corrupt("\(keyFile(number)) appeared meanwhile") }
        let after = try load()
        guard let new = after.keys.first(where: { $0.number == number }) else {
            throw .corrupt("\(keyFile(number)) is gone again")
        }
        return try state(of: new, among: after)
    }

    /// Removes the keys that stopped signing so long ago, and no token of which can be good any more: never the one
    /// that signs, nor one that has yet to.
    ///
    /// - Parameter olderThan: how long ago a key must have stopped signing, at least.
    public func retire(olderThan: Duration = .zero) throws(AccountsError) -> (retired: [SigningKeyState], kept: [Kept])
    {
        let lock = try FolderLock(path)
        defer { lock.release() }
        let (keys, now) = (try load(), clock())
        var (retired, kept): ([SigningKeyState], [Kept]) = ([], [])
        for key in keys.keys {
            let state = try state(of: key, among: keys)
            guard let stopped = keys.stoppedSigning(key, at: now), let free = state.retirableFrom else {
                kept.append(Kept(key: state, reason: state.state == .signing ? "it signs" : "it has yet to sign"))
                continue
            }
            guard free <= now else {
                kept.append(Kept(key: state, reason: "its tokens may be good until \(free)"))
                continue
            }
            guard stopped + olderThan <= now else {
                kept.append(Kept(key: state, reason: "it stopped signing at \(stopped), later than was asked for"))
                continue
            }
            guard unlink(keyFile(key.number)) == 0 else {
                throw .corrupt("can't remove \(keyFile(key.number)): \(Self.errorText())")
            }
            unlink(noteFile(key.number))
            retired.append(state)
        }
        flush()
        return (retired, kept)
    }

    /// Removes a key at once, whatever it signed: for one that was stolen. Every token of it is refused as soon as the
    /// processes read the folder.
    ///
    /// Where it was the one that signs, a new one signs in its place at once: who verifies tokens elsewhere may have to
    /// fetch the keys first. Answers that new one.
    /// Throws ``AccountsError/invalidField(name:reason:)`` where there is no such key.
    public func revoke(_ number: Int) throws(AccountsError) -> SigningKeyState? {
        let lock = try FolderLock(path)
        defer { lock.release() }
        let keys = try load()
        guard keys.keys.contains(where: { $0.number == number }) else {
            let numbers = keys.keys.map { "\($0.number)" }.joined(separator: ", ")
            throw .invalidField(name: "number", reason: "expected one of \(numbers), got \(number)")
        }
        let next = keys.signing(at: clock()).number == number ? (keys.keys.first?.number ?? number) + 1 : nil
        // First the new one: at no moment is the folder without a key that may sign.
        if let next, try !create(number: next, createdAt: clock() - publishTime) {
            throw .corrupt("\(keyFile(next)) appeared meanwhile")
        }
        guard unlink(keyFile(number)) == 0 else {
            throw .corrupt("can't remove \(keyFile(number)): \(Self.errorText())")
        }
        unlink(noteFile(number))
        flush()
        let after = try load()
        guard let new = after.keys.first(where: { $0.number == next }) else { return nil }
        return try state(of: new, among: after)
    }

    /// Notes that a key signed a token of more than ``plainTokenLifetimeMax``, so that it is not retired before.
    func note(tokenUntil end: Instant, of number: Int) throws(AccountsError) {
        let lock = try FolderLock(path)
        defer { lock.release() }
        if let noted = try notedEnd(of: number), noted >= end { return }
        let aside = try writeAside("\(end.milliseconds)\n")
        guard rename(aside, noteFile(number)) == 0 else {
            unlink(aside)
            throw .corrupt("can't write \(noteFile(number)): \(Self.errorText())")
        }
        flush()
    }

    private func notedEnd(of number: Int) throws(AccountsError) -> Instant? {
        let file = noteFile(number)
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        do {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            guard let end = Self.moment(after: "", in: text) else { throw AccountsError.corrupt("it holds no moment") }
            return end
        } catch {
            throw .corrupt("can't read \(file): \(error)")
        }
    }

    private func state(
        of key: SigningKeys.Key, among keys: SigningKeys
    ) throws(AccountsError) -> SigningKeyState {
        let now = clock()
        let isSigning = keys.signing(at: now).number == key.number
        let stopped = isSigning ? nil : keys.stoppedSigning(key, at: now)
        let plain = stopped.map { $0 + Self.readingSlack + Self.plainTokenLifetimeMax }
        let noted = try notedEnd(of: key.number)
        return SigningKeyState(
            number: key.number, kid: key.kid,
            state: isSigning ? .signing : stopped == nil ? .published : .verifying, createdAt: key.createdAt,
            signsFrom: keys.signsFrom(key), retirableFrom: plain.map { max($0, noted ?? $0) })
    }
}

/// One change of the folder at a time, across processes: a lock that ends with the process that holds it.
private struct FolderLock {
    private let descriptor: Int32

    /// Waits for whoever holds it; they hold it for a few file operations.
    init(_ folder: String) throws(AccountsError) {
        descriptor = open("\(folder)/.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .corrupt("can't lock \(folder): \(KeyFolder.errorText())") }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                let reason = KeyFolder.errorText()
                close(descriptor)
                throw .corrupt("can't lock \(folder): \(reason)")
            }
        }
    }

    func release() { close(descriptor) }
}
