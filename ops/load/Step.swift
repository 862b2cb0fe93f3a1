/// The steps of a player's journey, in their order.
enum Step: String, CaseIterable, Sendable, Codable {
    case register
    case logIn = "log in"
    case catalog
    case quote
    case order
    case paid
    case wallet
    case queue
    case party
    case matched
    case accept
    case placed
    case join
    case play
    case result
    case journey

    /// What the time of this step is the time of.
    var meaning: String {
        switch self {
        case .register: "from the moment the player meant to arrive to the account made"
        case .logIn: "password to tokens"
        case .catalog: "products and prices"
        case .quote: "a product to its price, line by line"
        case .order: "an order to its 202"
        case .paid: "202 to paid or declined"
        case .wallet: "an order to paid, by those who bought virtual currency before"
        case .queue: "a ticket asked for to the ticket made; in a party, from when all have met"
        case .party: "a party's ticket made to all its members joined"
        case .matched: "the ticket made to the match proposed"
        case .accept: "accepting the match"
        case .placed: "accepted to connection details"
        case .join: "connecting to the game instance with the join token"
        case .play: "joined to the end of the fight"
        case .result: "the end of the fight to its result read from the API"
        case .journey: "from the moment the player meant to arrive to the result"
        }
    }
}
