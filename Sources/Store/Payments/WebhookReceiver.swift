import GameModel

/// What became of a webhook; all of them are answered 200.
public enum WebhookOutcome: Sendable, Hashable {
    /// The order that it tells of is being verified.
    case verifying
    /// The provider is being asked what became of the order's charge.
    case settling
    /// Kept; nothing had to be done.
    case noted
    /// This event came before.
    case repeated
}

/// Takes the providers' events in: checks the signature over the raw body, keeps each event once, and has the provider
/// asked about the order that it tells of.
///
/// Promises: an event changes no order by itself. What it says is a hint to ask the provider for the truth, so that
/// events may come twice, late, in any order and before our own answer. Events of unknown types are kept, too.
public struct WebhookReceiver: Sendable {
    private let repository: StoreRepository
    private let verifiers: [String: any WebhookVerifier]
    private let nudge: @Sendable () -> Void
    private let clock: @Sendable () -> Instant

    /// - Parameters:
    ///   - verifiers: one per provider whose webhooks are taken.
    ///   - nudge: tells the outbox's relay that there is something to relay.
    public init(
        repository: StoreRepository, verifiers: [any WebhookVerifier], nudge: @escaping @Sendable () -> Void = {},
        clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository
        self.verifiers = Dictionary(verifiers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.nudge = nudge
        self.clock = clock
    }

    /// The names of the providers whose webhooks are taken.
    public var providers: [String] { verifiers.keys.sorted() }

    /// Takes one webhook in. Returns once the event, and the job that it made necessary, are on disk.
    ///
    /// - Parameters:
    ///   - provider: the name in the webhook's path; one that is not in ``providers`` is an
    ///     ``StoreError/invalidField(name:reason:)`` named `provider`.
    ///   - headers: by their names in lower case.
    ///   - body: its bytes as they came.
    /// - Throws: ``StoreError/badSignature(_:)``, ``StoreError/malformedEvent(_:)``,
    ///   ``StoreError/unavailable(_:)``.
    public func receive(
        provider: String, headers: [String: String], body: [UInt8]
    ) async throws(StoreError) -> WebhookOutcome {
        guard let verifier = verifiers[provider] else {
            throw .invalidField(
                name: "provider",
                reason: "expected one of \(providers.joined(separator: ", ")), got '\(provider.prefix(80))'")
        }
        let now = clock()
        let event = try await verifier.event(headers: headers, body: body, at: now)
        try Self.check(event)
        let outcome = try await repository.webhooks.receive(event, from: provider, body: body, at: now)
        if outcome == .verifying || outcome == .settling { nudge() }
        return outcome
    }

    /// Names are stored and looked up by: they have bounds.
    private static func check(_ event: ProviderEvent) throws(StoreError) {
        guard (1...255).contains(event.id.utf8.count), (1...255).contains(event.type.utf8.count) else {
            throw .malformedEvent("its id and type must have 1 to 255 bytes")
        }
        guard event.reference.map({ (1...255).contains($0.utf8.count) }) ?? true else {
            throw .malformedEvent("the charge's name must have 1 to 255 bytes")
        }
    }
}
