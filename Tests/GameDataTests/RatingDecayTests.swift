import Foundation
import GameData
import GameModel
import Testing

@Suite("Decay of ratings")
struct RatingDecayTests {
    let rating = GlickoRating(rating: 1800, deviation: 60, volatility: 0.06)
    let played = Instant(milliseconds: 1_000_000)

    @Test("each day away is a period of Glicko-2 without games, and the rating itself stays")
    func days() {
        for days in [1, 7, 30, 365] {
            var stepped = rating
            for _ in 0..<days { stepped = Glicko2.updated(stepped, games: []) }
            let decayed = after(.seconds(86_400 * days))
            #expect(abs(decayed.deviation - stepped.deviation) < 1e-9)
            #expect(decayed.rating == 1800)
            #expect(decayed.volatility == 0.06)
        }
        #expect(String(format: "%.1f", after(.seconds(86_400 * 30)).deviation) == "82.8")
        #expect(String(format: "%.1f", after(.seconds(86_400 * 365)).deviation) == "208.0")
    }

    @Test("nothing decays on the day of a match, nor before it by a clock that is behind")
    func sameDay() {
        #expect(after(.milliseconds(86_399_999)) == rating)
        #expect(after(.zero) == rating)
        #expect(after(.seconds(-1_000_000)) == rating)
    }

    @Test("no one becomes less known than a newcomer, and who is stays")
    func bounds() {
        #expect(after(.seconds(86_400 * 100_000)).deviation == 350)
        let unknown = GlickoRating(rating: 1500, deviation: 360, volatility: 0.06)
        #expect(RatingDecay.after(unknown, lastPlayedAt: played, at: played + .seconds(1e9)).deviation == 360)
    }

    private func after(_ time: Duration) -> GlickoRating {
        RatingDecay.after(rating, lastPlayedAt: played, at: played + time)
    }
}
