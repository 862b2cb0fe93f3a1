import Accounts
import Foundation
import GameModel
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Lets people into the console's pages: knows them by their cookie, holds their role against the page's, refuses
/// forms that another site could have sent, and answers in HTML whatever comes of it.
///
/// A session of the console is one of the account's sessions: it ends after ``lifetime``, and at the next request after
/// it was ended, or the account was locked, deleted or lost its role.
struct ConsoleDoor: Sendable {
    static let cookie = "muster_console"
    /// Holds what the form of logging in has to bring back.
    static let formCookie = "muster_console_form"
    static let path = "/console"
    static let lifetime: Duration = .seconds(8 * 3600)
    static let staff: Set<Role> = [.developer, .operator]

    typealias Handler = @Sendable (Request, APIContext) async throws -> Response

    let accounts: AccountService
    let tokens: TokenIssuer
    let templates: ConsoleTemplates
    /// Where pictures come from besides here: `https://cdn.example`.
    let pictureOrigin: String?

    /// A page for those of these roles.
    func page(
        for roles: Set<Role> = staff, _ make: @escaping @Sendable (ConsoleVisit) async throws -> ConsolePage
    ) -> Handler {
        handler(roles) { .page(try await make($0), .ok) }
    }

    /// What a form does, for those of these roles; its answer after a change is another page's address.
    func form(
        for roles: Set<Role> = staff, _ act: @escaping @Sendable (ConsoleVisit) async throws -> ConsoleAnswer
    ) -> Handler {
        handler(roles) { visit in
            var visit = visit
            try Self.refuseForeign(visit.request)
            visit.body = try await Self.body(of: visit.request, visit.context)
            guard Self.isSame(visit.body["csrf"], visit.session.token.csrf) else { throw ConsoleError.foreignForm }
            return try await act(visit)
        }
    }

    private func handler(
        _ roles: Set<Role>, _ act: @escaping @Sendable (ConsoleVisit) async throws -> ConsoleAnswer
    ) -> Handler {
        { request, context in
            var known: ConsoleVisit?
            do {
                guard let session = try await session(of: request) else {
                    return redirect(to: Self.logInPath(after: request))
                }
                let visit = ConsoleVisit(request: request, context: context, session: session)
                known = visit
                guard roles.contains(session.account.role) else { throw ConsoleError.otherRole(roles) }
                return try answer(try await act(visit), to: visit)
            } catch {
                return try failure(error, request, context, known)
            }
        }
    }

    // MARK: Who

    /// Whose the request is; `nil` where it has no cookie of a session that is open.
    func session(of request: Request) async throws -> ConsoleSession? {
        guard let cookie = request.cookies[Self.cookie]?.value else { return nil }
        do {
            let token = try await tokens.verifyConsole(cookie)
            guard try await accounts.sessions(of: token.player).contains(where: { $0.id == token.session }) else {
                return nil
            }
            let account = try await accounts.account(token.player)
            guard account.lockedReason == nil, account.deletedAt == nil, Self.staff.contains(account.role) else {
                return nil
            }
            return ConsoleSession(account: account, token: token)
        } catch {
            switch error {
            case .invalidToken, .unknownAccount: return nil
            default: throw error
            }
        }
    }

    // MARK: What may come in

    /// Refuses a form that a browser says another site sent.
    ///
    /// `Sec-Fetch-Site` says it outright; browsers without it send `Origin`. A client that sends neither is no browser,
    /// and has no cookie that it wasn't given. `/console` has a referrer policy by which browsers name its own origin.
    static func refuseForeign(_ request: Request) throws(ConsoleError) {
        if let site = request.headers[.secFetchSite] {
            guard site == "same-origin" || site == "none" else { throw .foreignForm }
        } else if let origin = request.headers[.origin] {
            let host = origin.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).last.map(
                String.init)
            guard let host, !host.isEmpty, host == request.head.authority else { throw .foreignForm }
        }
    }

    static func body(of request: Request, _ context: APIContext) async throws(Problem) -> FormBody {
        let bytes = try await request.collectBytes(context: context)
        return try FormBody(Array(bytes.readableBytesView), contentType: request.headers[.contentType] ?? "")
    }

    /// Compared in a time that does not tell how much of it is right.
    static func isSame(_ one: String, _ other: String) -> Bool {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        guard one.count == other.count, !one.isEmpty else { return false }
        return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// The way to the log-in and back: only a page that is read is worth coming back to.
    private static func logInPath(after request: Request) -> String {
        guard request.method == .get, let next = ConsoleNext(request.uri.string) else { return "/console/login" }
        return "/console/login?next=\(next.encoded)"
    }
}

/// A page of the console to go on to: a path of ours, and nothing that a browser could take for another address.
struct ConsoleNext: Sendable {
    let path: String

    init?(_ text: String) {
        let others = Set("/?&=-_.~%".utf8)
        guard text.hasPrefix("/console/") || text == "/console", text.utf8.count <= 500, !text.contains("//"),
            text.utf8.allSatisfy({ others.contains($0) || Character(Unicode.Scalar($0)).isLetterOrDigit })
        else { return nil }
        path = text
    }

    var encoded: String { path.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "" }
}

extension Character {
    fileprivate var isLetterOrDigit: Bool { isASCII && (isLetter || isNumber) }
}

/// Who is logged in to the console.
struct ConsoleSession: Sendable {
    let account: Account
    let token: ConsoleToken
}

/// One request of somebody who is logged in and of the right role.
struct ConsoleVisit: Sendable {
    let request: Request
    let context: APIContext
    let session: ConsoleSession
    /// What the form sent; empty for pages.
    var body = FormBody()

    /// Who makes an edit, for the change log.
    var editor: String { session.account.playerId.rawValue }

    func id<T: Identifier>(_ name: String = "id", as type: T.Type = T.self) throws -> T {
        try context.parameter(name, as: type)
    }
}

enum ConsoleAnswer: Sendable {
    /// After a change: the browser asks for the page itself, so that reloading that repeats nothing.
    case seeOther(String, ConsoleNotice?)
    case page(ConsolePage, HTTPResponse.Status)

    /// The form again, with what was wrong.
    static func again(_ page: ConsolePage) -> ConsoleAnswer { .page(page, .unprocessableContent) }
}

/// What was done, as the next page's address says it: only these, so that no link can put other words on a page.
enum ConsoleNotice: String, Sendable {
    case saved, removed, published, unchanged, draftReplaced = "draft-replaced", draftDiscarded = "draft-discarded"
    case refundAsked = "refund-asked", resolved, locked, unlocked, sessionEnded = "session-ended", granted
    case loggedOut = "logged-out", pictureSaved = "picture-saved", balancePublished = "balance-published"

    var text: String {
        switch self {
        case .saved: "Saved to the draft. Players see it once it is published."
        case .removed: "Removed from the draft."
        case .published: "Published. Players see it within a second."
        case .unchanged: "Nothing to do: that is how it was already."
        case .draftReplaced: "The draft is now that version. Publish it to make it what players see."
        case .draftDiscarded: "The draft is what is published again."
        case .refundAsked: "The refund is under way."
        case .resolved: "Resolved."
        case .locked: "Locked, and logged out everywhere."
        case .unlocked: "Unlocked."
        case .sessionEnded: "Logged out there."
        case .granted: "Given."
        case .loggedOut: "You are logged out."
        case .pictureSaved: "The picture is saved with the draft."
        case .balancePublished: "Published as a new patch, for matches placed from now on."
        }
    }
}

enum ConsoleError: Error, Sendable {
    case otherRole(Set<Role>)
    case foreignForm
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .origin
    static let frameOptions = HTTPField.Name("X-Frame-Options") ?? .contentSecurityPolicy
    static let forwardedProto = HTTPField.Name("X-Forwarded-Proto") ?? .via
}
