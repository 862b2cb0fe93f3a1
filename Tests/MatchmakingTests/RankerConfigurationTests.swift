import RankerWorker
import Testing

@Suite("Ranker configuration") struct RankerConfigurationTests {
    @Test("refuses settings that can't work, by name")
    func configuration() throws {
        var configuration = RankerConfiguration()
        try configuration.validate()
        configuration.leaseMs = 10
        #expect(throws: RankerConfigurationError(key: "muster.ranker.lease-ms", reason: "10 is not 300 to 60000")) {
            try configuration.validate()
        }
        configuration.leaseMs = 2_000
        configuration.bandTickets = 7
        #expect(
            throws: RankerConfigurationError(key: "muster.ranker.band-tickets", reason: "7 is not 100 to 10000000")
        ) {
            try configuration.validate()
        }
    }
}
