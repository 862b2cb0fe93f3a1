import Testing

@testable import Records

@Suite("Waiting for another process")
struct BusyWaitTests {
    @Test("the wait is bounded by its limit, in naps short enough to find a gap")
    func isBounded() {
        let wait = BusyWait(limit: .seconds(1))
        var total = Duration.zero
        var tries = 0
        while let nap = wait.nap(beforeTry: tries) {
            #expect(nap <= .milliseconds(3))
            total += nap
            tries += 1
        }
        #expect(total >= .seconds(1))
        #expect(total <= .milliseconds(1010))
    }

    @Test("no wait at all where the limit is zero")
    func zero() { #expect(BusyWait(limit: .zero).nap(beforeTry: 0) == nil) }
}
