import IngestWorker
import Testing

@Suite("Ingest configuration")
struct ConfigurationTests {
    @Test("the defaults are valid, and what is out of range is named")
    func validate() throws {
        try IngestConfiguration().validate()
        let wrong: [(String, (inout IngestConfiguration) -> Void)] = [
            ("muster.health.port", { $0.healthPort = 65_536 }), ("muster.ingest.results-max", { $0.resultsMax = 0 }),
            ("muster.ingest.batch-max", { $0.events.batchMax = 5_001 }),
            ("muster.ingest.linger-ms", { $0.events.linger = .zero }),
            ("muster.ingest.claim-idle-ms", { $0.events.claimIdle = .milliseconds(10) }),
            ("muster.ingest.retention-days", { $0.events.retentionDays = 0 }),
        ]
        for (setting, spoil) in wrong {
            var configuration = IngestConfiguration()
            spoil(&configuration)
            let error = #expect(throws: IngestConfigurationError.self) { try configuration.validate() }
            #expect(error?.description.hasPrefix("\(setting) is") == true)
        }
    }
}
