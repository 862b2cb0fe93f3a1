import GameModel

/// All keys of the rules file, with their ranges and what they mean. Times are in seconds, latencies in ms, ratings in
/// points. A key that is left out has the value that ``ModeRules`` begins with.
enum RulesKeys {
    static let modesMax = 64
    static let regionsMax = 32
    static let rolesMax = 16
    static let attributesMax = 20
    static let expansionsMax = 32

    static let top: [(name: String, about: String)] = [
        ("regions", "The regions that are played in: 1 to 32 names of lower-case letters, digits and '-'."),
        ("modes", "The modes that are played, each by its name: lower-case letters, digits and '-'."),
    ]

    /// Groups of a mode with plain keys; `teams` first, because other defaults follow from it.
    static let groups: [RulesGroup] = [teams, party] + meeting + [history] + around

    /// Lists of a mode.
    static let lists: [(name: String, about: String)] = [
        ("roles", "What each team is made of; left out where any players make a team."),
        ("attributes", "Rules about attributes that tickets carry."),
        ("expansions", "Limits that hold from a time of waiting on; each may only loosen what held before."),
    ]

    /// The short way to write the commonest expansion.
    static let botsName = "bots"
    static let botsAbout =
        "Bot fill: after a wait, a match may begin with so many bots at most; the same as an expansion with bots-max "
        + "and players-min."
    static let bots: [RulesKey<Expansion>] = [
        .number("after", \.after, 0...86_400, "seconds", "Seconds that the match's longest-waiting ticket has waited.")
            .required,
        .integer("max", maybe: \.botsMax, 1...98, "So many seats of a match may be left to bots.").required,
        .integer(
            "players-min", maybe: \.playersMin, 2...100, "The fewest players; without it, the seats less the bots."),
    ]

    private static let teams = RulesGroup(
        name: "teams", about: "What a match looks like.",
        keys: [
            .integer("count", \.teams, 2...100, "Teams of a match."),
            .integer("size", \.teamSize, 1...100, "Players of a team; 100 players a match at most.").required,
        ])

    private static let party = RulesGroup(
        name: "party", about: "Players who queue together and play in one team.",
        keys: [
            .integer("max", \.partyMax, 1...100, "The most players of a party; without it, a whole team."),
            .number("join-seconds", \.joinSeconds, 0.1...3_600, "seconds", "How long the invited have to join."),
        ])

    private static let meeting: [RulesGroup] = [
        RulesGroup(
            name: "rating", about: "Who may meet by skill.",
            keys: [
                .choice("system", \.ratingSystem, "How results change ratings; without it, glicko2 for duels."),
                .number(
                    "window", \.window, 0...10_000, "points", "How far apart two may be of whom one has just queued."),
                .number(
                    "window-growth", \.windowGrowth, 0...10_000, "points a second",
                    "By how much the window widens with each second that the longest-waiting ticket has waited."),
                .number("window-max", \.windowMax, 0...10_000, "points", "How far the window widens by itself."),
                .number(
                    "team-gap-max", maybe: \.teamGapMax, 0...0.5, "",
                    "How far the strongest team's predicted chance against the weakest may be from even."),
            ]),
        RulesGroup(name: "latency", about: "Where a match is played, and how far players may be.", keys: latency),
        RulesGroup(
            name: "avoid", about: "Who is kept apart.",
            keys: [
                .flag("listed", \.avoidsListed, "Whether players are kept apart from those on their avoid-list."),
                .integer(
                    "recent-opponents", \.recentOpponents, 0...20,
                    "From how many of their last opponents players are kept apart."),
            ]),
    ]

    private static let latency: [RulesKey<ModeRules>] = [
        .choice(
            "scope", \.scope,
            "apart: each region has its own players. together: all players meet, and a match is played in the region "
                + "with the lowest worst latency within everyone's limit."),
        RulesKey(
            name: "max", form: .number(1...5_000, unit: "ms"), about: "The most latency that a player may have."
        ) {
            $0.latency.map { .number($0.max) }
        } write: {
            guard case .number(let max) = $1 else { return }
            $0.latency = LatencyRule(max: max, regions: $0.latency?.regions ?? [:])
        },
        RulesKey(
            name: "regions", form: .numbers(1...5_000, unit: "ms", of: "region"),
            about: "Other limits than max, by region."
        ) {
            guard let regions = $0.latency?.regions, !regions.isEmpty else { return nil }
            return .numbers(Dictionary(uniqueKeysWithValues: regions.map { ($0.key.rawValue, $0.value) }))
        } write: {
            guard case .numbers(let numbers) = $1 else { return }
            $0.latency?.regions = Dictionary(uniqueKeysWithValues: numbers.map { (Region($0.key), $0.value) })
        },
    ]

    private static let history = RulesGroup(
        name: "history", about: "What past matches mean for the next one.",
        keys: [
            .integer(
                "placement-games", \.history.placementGames, 0...1_000,
                "So many first matches of a player are placement matches."),
            .number(
                "placement-window", \.history.placementWindow, 1...100, "times",
                "The rating window of a placement player is so many times as wide."),
            .number(
                "streak-points", \.history.streakPoints, 0...1_000, "points",
                "By how much a player counts as stronger with each win in a row from the second on; weaker with losses."
            ),
            .number(
                "streak-points-max", \.history.streakPointsMax, 0...1_000, "points",
                "The most points of a streak, either way."),
            .number(
                "leaver-hold-seconds", \.history.leaverHoldSeconds, 0...3_600, "seconds",
                "How long one who leaves every match waits before being looked at; in proportion for others."),
        ])

    private static let around: [RulesGroup] = [
        RulesGroup(
            name: "acceptance", about: "Whether and how players accept a match.",
            keys: [
                .flag("required", \.needsAcceptance, "Whether players must accept a match; else it is placed at once."),
                .number("seconds", \.acceptSeconds, 0.1...600, "seconds", "How long players have to accept."),
            ]),
        RulesGroup(
            name: "wait", about: "How long a ticket lives.",
            keys: [
                .number(
                    "seconds-max", \.waitSecondsMax, 0.1...86_400, "seconds",
                    "How long a ticket may wait; then it expires."),
                .number(
                    "abandoned-seconds", \.abandonedSeconds, 0...86_400, "seconds",
                    "How long a ticket stays whose client shows no sign of life; 0 = for ever."),
            ]),
        RulesGroup(
            name: "cooldown", about: "How long players who declined, kept silent or left may not queue.",
            keys: [
                .number("seconds", \.cooldown.seconds, 0...86_400, "seconds", "The first time; 0 = never."),
                .number("factor", \.cooldown.factor, 1...100, "times", "So many times as long with each further time."),
                .number("seconds-max", \.cooldown.secondsMax, 0...604_800, "seconds", "The longest."),
                .number(
                    "forget-seconds", \.cooldown.forgetSeconds, 0...2_592_000, "seconds",
                    "After so long without a further one, the next is a first again."),
            ]),
        RulesGroup(
            name: "backfill", about: "What a running match that lost players may ask for.",
            keys: [
                .flag("allowed", \.backfill.isAllowed, "Whether running matches get new players."),
                .choice("priority", \.backfill.priority, "Whether they come before new matches, by wait, or last."),
            ]),
        RulesGroup(
            name: "placing", about: "How an accepted match gets an instance.",
            keys: [
                .number(
                    "seconds", \.placeSeconds, 0.1...3_600, "seconds",
                    "How long a match may wait for an instance before its players are queued again."),
                .integer("attempts-max", \.placementsMax, 1...100, "How often a ticket may be queued again so."),
                .number(
                    "match-seconds-max", \.matchSecondsMax, 1...86_400, "seconds",
                    "How long a match may be under way before its tickets count as failed."),
            ]),
    ]

    static let role: [RulesKey<RoleRule>] = [
        .name("name", \.name, "What the role is called, as tickets name it.").required,
        .integer("count", \.count, 1...100, "How many of it a team has."),
        .flag("required", \.isRequired, "Whether it must be filled; else only where players wish it."),
    ]

    static let attribute: [RulesKey<AttributeRule>] = [
        .name("name", \.name, "What the attribute is called, as tickets carry it.").required,
        .choice(
            "rule", \.kind,
            "equal: one value for all. one-of: a text in common. distance: no two players further apart than max. "
                + "average-difference: no two teams' means further apart than max."
        ).required,
        .number("max", maybe: \.max, 0...1e9, "", "For rules distance and average-difference."),
        RulesKey(
            name: "default", form: .attribute,
            about: "What a player without it counts as; without a default such tickets are refused."
        ) {
            $0.fallback.map { .attribute($0) }
        } write: {
            if case .attribute(let value) = $1 { $0.fallback = value }
        },
    ]

    static let expansion: [RulesKey<Expansion>] = [
        .number("after", \.after, 0...86_400, "seconds", "Seconds of waiting.").required,
        .number("window", maybe: \.window, 0...10_000, "points", "The rating window is this wide at least."),
        .number("latency-plus", maybe: \.latencyPlus, 0...5_000, "ms", "Added to every latency limit."),
        .number("team-gap-max", maybe: \.teamGapMax, 0...0.5, "", "In place of rating.team-gap-max."),
        .integer("players-min", maybe: \.playersMin, 2...100, "A match may begin with so many players."),
        .integer("bots-max", maybe: \.botsMax, 0...98, "So many seats of a match may be left to bots."),
        .integer("recent-opponents", maybe: \.recentOpponents, 0...20, "In place of avoid.recent-opponents."),
        .flag("avoid-listed", maybe: \.avoidsListed, "In place of avoid.listed."),
        .flag("fill-roles", maybe: \.fillsRoles, "Whether players who did not ask for it may be given a role."),
        RulesKey(
            name: "attributes", form: .numbers(0...1e9, unit: "", of: "attribute"),
            about: "Wider limits of attribute rules, by attribute; of rules without a max, any number drops the rule."
        ) {
            $0.attributes.isEmpty ? nil : .numbers($0.attributes)
        } write: {
            if case .numbers(let numbers) = $1 { $0.attributes = numbers }
        },
    ]
}
