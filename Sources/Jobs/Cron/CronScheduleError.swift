/// Why a text is no schedule: which part of it, what stands there, and what would be right.
public struct CronScheduleError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `second`, `minute`, `hour`, `day of month`, `month`, `day of week`, `@every`, `time zone` or `schedule`.
    public let field: String
    public let value: String
    /// What would be right, for a person.
    public let right: String

    public var description: String { "the \(field) can't be '\(value)': \(right)" }
}
