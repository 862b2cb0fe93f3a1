import Matchmaking
import Simulate
import Testing

@Suite("Simulation") struct SimulationTests {
    @Test("a simulation runs by the rules given") func rules() {
        #expect(Simulation(rules: .standard).rules == .standard)
    }
}
