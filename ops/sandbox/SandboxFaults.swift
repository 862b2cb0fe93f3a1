/// How often the sandbox misbehaves: rates from 0 (never) to 1 (always), each rolled for by itself.
///
/// Calls that charge, confirm or refund are hit; reads are always answered truly, so that an audit can rely on them.
public struct SandboxFaults: Equatable, Sendable {
    /// The card is declined, whichever it is.
    public var decline = 0.0
    /// The call is held up before anything happens, for ``delayFor``.
    public var delay = 0.0
    public var delayFor: Duration = .milliseconds(500)
    /// 429 before anything happens.
    public var rateLimit = 0.0
    /// 500 before anything happens.
    public var error = 0.0
    /// 500 after the charge, or the refund, is done.
    public var errorAfterCharge = 0.0
    /// No answer after the charge, or the refund, is done: the connection is held for ``timeoutFor`` (0: not at all)
    /// and closed.
    public var timeoutAfterCharge = 0.0
    public var timeoutFor: Duration = .seconds(31)
    /// One minor unit more is charged than was asked for.
    public var wrongAmount = 0.0
    /// A refund is decided only after ``pendingFor``.
    public var pendingRefund = 0.0
    public var pendingFor: Duration = .seconds(2)
    /// An event is delivered twice.
    public var duplicateWebhook = 0.0
    /// An event is delivered late, so that later ones overtake it.
    public var reorderWebhook = 0.0

    public init() {}

    /// The longest that a call is held up.
    public static let durationMax = Duration.seconds(120)

    /// Reads rates by name, each optional, three of them with a duration: `decline=0.05,delay=0.1:500ms`. The names are
    /// `decline`, `delay`, `rate-limit`, `error`, `error-after-charge`, `timeout-after-charge`, `wrong-amount`,
    /// `pending-refund`, `duplicate-webhook` and `reorder-webhook`.
    /// - Throws: ``SandboxError/invalid(_:)`` naming the part that can't be read.
    public init(_ text: String) throws(SandboxError) {
        for part in text.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2 else { throw .invalid("fault '\(part)': write it as name=rate") }
            let values = sides[1].split(separator: ":", maxSplits: 1)
            guard let first = values.first, let rate = Double(first) else {
                throw .invalid("fault '\(part)': the rate is a number from 0 to 1")
            }
            let duration = values.count == 2 ? try Self.duration(values[1], of: part) : nil
            try set(String(sides[0].trimmingPrefix(while: \.isWhitespace)), rate: rate, duration: duration)
        }
        try validate()
    }

    /// Sets one fault by its name.
    mutating func set(_ name: String, rate: Double, duration: Duration? = nil) throws(SandboxError) {
        guard let path = Self.rates.first(where: { $0.name == name })?.path else {
            let known = Self.rates.map(\.name).joined(separator: ", ")
            throw .invalid("there is no fault '\(name)': there are \(known)")
        }
        self[keyPath: path] = rate
        guard let duration else { return }
        switch name {
        case "delay": delayFor = duration
        case "timeout-after-charge": timeoutFor = duration
        case "pending-refund": pendingFor = duration
        default: throw .invalid("fault '\(name)' has no duration")
        }
    }

    /// - Throws: ``SandboxError/invalid(_:)`` naming the first rate or duration that can't be.
    public func validate() throws(SandboxError) {
        for (name, path) in Self.rates where !(0...1).contains(self[keyPath: path]) {
            throw .invalid("fault '\(name)': \(self[keyPath: path]) is no rate from 0 to 1")
        }
        for duration in [delayFor, timeoutFor, pendingFor] where !(.zero...Self.durationMax).contains(duration) {
            throw .invalid("a fault holds a call up for at most \(Self.durationMax)")
        }
    }

    /// The rates by name.
    var byName: [(name: String, rate: Double)] { Self.rates.map { ($0.name, self[keyPath: $0.path]) } }

    private static var rates: [(name: String, path: WritableKeyPath<SandboxFaults, Double>)] {
        [
            ("decline", \.decline), ("delay", \.delay), ("rate-limit", \.rateLimit), ("error", \.error),
            ("error-after-charge", \.errorAfterCharge), ("timeout-after-charge", \.timeoutAfterCharge),
            ("wrong-amount", \.wrongAmount), ("pending-refund", \.pendingRefund),
            ("duplicate-webhook", \.duplicateWebhook), ("reorder-webhook", \.reorderWebhook),
        ]
    }

    private static func duration(_ text: Substring, of part: Substring) throws(SandboxError) -> Duration {
        if text.hasSuffix("ms"), let number = Int64(text.dropLast(2)) { return .milliseconds(number) }
        if text.hasSuffix("s"), let number = Double(text.dropLast(1)), number.isFinite { return .seconds(number) }
        throw .invalid("fault '\(part)': a duration is like 500ms or 31s")
    }
}
