import MusterInstance
import Testing

@Suite struct InstanceErrorTests {
    @Test("a refusal is not taken for an API that is away")
    func refusal() {
        #expect(InstanceError.refused(status: 409, detail: "x") != .unavailable("x"))
    }
}
