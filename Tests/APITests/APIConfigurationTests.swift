import API
import APIWorker
import Store
import Testing

@Suite("Settings of an API process")
struct APIConfigurationTests {
    @Test("the defaults are valid, and believe load balancers of this machine alone")
    func defaults() throws {
        let configuration = APIConfiguration()
        try configuration.validate()
        #expect(configuration.trustedProxies == "127.0.0.0/8, ::1")
    }

    @Test(
        "a setting that can't be is refused by its name and value",
        arguments: [
            (
                "muster.api.trusted-proxies", "'nonsense'",
                { @Sendable (all: inout APIConfiguration) in all.trustedProxies = "10.0.0.0/8, nonsense" }
            ),
            (
                "muster.api.trusted-proxies", "'10.0.0.0/33'",
                { @Sendable (all: inout APIConfiguration) in all.trustedProxies = "10.0.0.0/33" }
            ),
            ("muster.api.limits.orders", "-1", { @Sendable (all: inout APIConfiguration) in all.limits.orders = -1 }),
            (
                "muster.api.limits.others", "1000001",
                { @Sendable (all: inout APIConfiguration) in all.limits.others = 1_000_001 }
            ),
            (
                "muster.api.limits.accounts-per-hour", "-1",
                { @Sendable (all: inout APIConfiguration) in all.creationsPerHour = -1 }
            ),
            (
                "muster.payments.url", "'ftp://x'",
                { @Sendable (all: inout APIConfiguration) in all.payments.stripeURL = "ftp://x" }
            ),
        ] as [(String, String, @Sendable (inout APIConfiguration) -> Void)])
    func refused(setting: String, value: String, change: @Sendable (inout APIConfiguration) -> Void) throws {
        var configuration = APIConfiguration()
        change(&configuration)
        let error = #expect(throws: APIConfigurationError.self) { try configuration.validate() }
        #expect(error?.description.contains(setting) == true && error?.description.contains(value) == true)
    }

    @Test("no proxy needs to be trusted", arguments: ["", " , "])
    func none(text: String) throws {
        var configuration = APIConfiguration()
        configuration.trustedProxies = text
        try configuration.validate()
    }
}
