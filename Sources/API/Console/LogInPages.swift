import Accounts
import GameModel
import HTTPTypes
import Hummingbird

/// The way into the console and out of it.
struct LogInPages: Sendable {
    let door: ConsoleDoor
    let accounts: AccountService

    func add(to console: RouterGroup<APIContext>) {
        console.get("login", use: show)
        console.post("login", use: logIn)
        console.post("logout", use: logOut)
    }

    @Sendable private func show(_ request: Request, _ context: APIContext) async throws -> Response {
        let next = request.query("next").flatMap(ConsoleNext.init)?.path ?? ConsoleDoor.path
        let notice = request.query("done").flatMap(ConsoleNotice.init)?.text
        return reply(request, email: "", next: next, notice: notice)
    }

    /// The same words for an unknown address and a wrong password; who may not come in learns so only after both were
    /// right.
    @Sendable private func logIn(_ request: Request, _ context: APIContext) async throws -> Response {
        do {
            try ConsoleDoor.refuseForeign(request)
            let body = try await ConsoleDoor.body(of: request, context)
            guard ConsoleDoor.isSame(body["csrf"], request.cookies[ConsoleDoor.formCookie]?.value ?? "") else {
                throw ConsoleError.foreignForm
            }
            let next = ConsoleNext(body["next"])?.path ?? ConsoleDoor.path
            do {
                return try await enter(body, next: next, request, context)
            } catch {
                guard let error = error as? AccountsError else { throw error }
                return try refusal(error, email: body["email"], next: next, request)
            }
        } catch {
            return try door.failure(error, request, context, nil)
        }
    }

    private func enter(
        _ body: FormBody, next: String, _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let session = try await accounts.logIn(
            email: body["email"], password: body.fields["password"] ?? "", client: context.client(request),
            lifetime: ConsoleDoor.lifetime)
        guard ConsoleDoor.staff.contains(try await accounts.account(session.playerId).role) else {
            try await accounts.end(session.sessionId, of: session.playerId)
            return reply(
                request, email: body["email"], next: next, status: .forbidden,
                problems: ["": "This account may not use the console: it takes the role developer or operator."])
        }
        let token = try await door.tokens.console(
            player: session.playerId, session: session.sessionId, lifetime: ConsoleDoor.lifetime)
        var response = door.redirect(to: next)
        let seconds = ConsoleDoor.lifetime.milliseconds / 1000
        response.setCookie(door.cookie(ConsoleDoor.cookie, token, for: request, seconds: seconds))
        response.setCookie(door.cookie(ConsoleDoor.formCookie, "", for: request, seconds: 0))
        return response
    }

    private func refusal(
        _ error: AccountsError, email: String, next: String, _ request: Request
    ) throws -> Response {
        switch error {
        case .invalidField(let name, let reason):
            return reply(
                request, email: email, next: next, status: .unprocessableContent, problems: [name: "\(reason)."])
        case .wrongCredentials:
            return reply(
                request, email: email, next: next, status: .forbidden,
                problems: ["": "The e-mail address or the password is wrong."])
        case .locked(let reason):
            return reply(
                request, email: email, next: next, status: .forbidden,
                problems: ["": "This account is locked: \(reason)."])
        case .tooManyAttempts(let wait):
            let seconds = max(1, (wait.milliseconds + 999) / 1000)
            var response = reply(
                request, email: email, next: next, status: .tooManyRequests,
                problems: ["": "Too many attempts. Try again in \(seconds) s."])
            response.headers[.retryAfter] = String(seconds)
            return response
        default: throw error
        }
    }

    @Sendable private func logOut(_ request: Request, _ context: APIContext) async throws -> Response {
        var response = try await door.form { visit in
            try await accounts.end(visit.session.token.session, of: visit.session.account.playerId)
            return .seeOther("/console/login", .loggedOut)
        }(request, context)
        if response.status == .seeOther {
            response.setCookie(door.cookie(ConsoleDoor.cookie, "", for: request, seconds: 0))
        }
        return response
    }

    private func reply(
        _ request: Request, email: String, next: String, status: HTTPResponse.Status = .ok,
        problems: [String: String] = [:], notice: String? = nil
    ) -> Response {
        var form = ConsoleForm(action: "/console/login", submit: "Log in")
        var address = ConsoleField.text("email", "E-mail address", email, required: true, type: "email")
        address.autocomplete = "username"
        var password = ConsoleField.text("password", "Password", required: true, type: "password")
        password.autocomplete = "current-password"
        form.fields = [address, password, .hidden("next", next)]
        form.add(problems)
        form.problemsHeading = "You could not be logged in"
        var page = ConsolePage(title: "Log in", notice: notice)
        page.lead = "For developers and operators. A session lasts eight hours at most."
        page.blocks = [.formBlock("log-in", form)]
        // Tabs share it, so that logging in works in each of them.
        let known = request.cookies[ConsoleDoor.formCookie]?.value ?? ""
        let secret = known.utf8.count == 32 ? known : Self.secret()
        var response = door.reply(page, status, visitor: nil, csrf: secret)
        response.setCookie(door.cookie(ConsoleDoor.formCookie, secret, for: request, seconds: 3600))
        return response
    }

    /// 128 bits of the system's generator, as 32 hexadecimal digits.
    private static func secret() -> String {
        (0..<16).map { _ in
            let digits = String(UInt8.random(in: .min ... .max), radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
