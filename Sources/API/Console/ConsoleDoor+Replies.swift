import Accounts
import Foundation
import GameModel
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

extension ConsoleDoor {
    func answer(_ answer: ConsoleAnswer, to visit: ConsoleVisit) throws -> Response {
        switch answer {
        case .seeOther(let path, let notice):
            return redirect(to: notice.map { "\(path)\(path.contains("?") ? "&" : "?")done=\($0.rawValue)" } ?? path)
        case .page(var page, let status):
            page.notice = page.notice ?? visit.request.query("done").flatMap(ConsoleNotice.init)?.text
            return reply(page, status, visitor: visitor(visit), csrf: visit.session.token.csrf)
        }
    }

    func redirect(to path: String) -> Response {
        var headers = headers
        headers[.location] = path
        headers[.contentLength] = "0"
        return Response(status: .seeOther, headers: headers)
    }

    func reply(_ page: ConsolePage, _ status: HTTPResponse.Status, visitor: ConsoleVisitor?, csrf: String) -> Response {
        let body = ByteBuffer(string: templates.html(page, for: visitor, csrf: csrf))
        var headers = headers
        headers[.contentType] = "text/html; charset=utf-8"
        headers[.contentLength] = String(body.readableBytes)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    func style(_ request: Request, _ context: APIContext) -> Response {
        let body = ByteBuffer(string: templates.style)
        var headers = headers
        headers[.contentType] = "text/css; charset=utf-8"
        headers[.contentLength] = String(body.readableBytes)
        headers[.cacheControl] = "public, max-age=31536000, immutable"
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    /// No script, no style but ours, no frame around it; forms go to ourselves alone. Browsers name the origin of a
    /// form only where the referrer policy lets them.
    private var headers: HTTPFields {
        let pictures = pictureOrigin.map { " " + $0 } ?? ""
        return [
            .contentSecurityPolicy:
                "default-src 'none'; style-src 'self'; img-src 'self'\(pictures); form-action 'self'; "
                + "base-uri 'none'; frame-ancestors 'none'",
            .frameOptions: "DENY", .cacheControl: "no-store", .referrerPolicy: "same-origin",
        ]
    }

    // MARK: Cookies

    func cookie(_ name: String, _ value: String, for request: Request, seconds: Int64) -> Cookie {
        Cookie(
            name: name, value: value, maxAge: Int(seconds), path: Self.path,
            // The word of whoever holds the TLS. A client that makes it up keeps its own cookie from being sent.
            secure: request.headers[.forwardedProto]?.lowercased() == "https", httpOnly: true, sameSite: .strict)
    }

    // MARK: Failures

    /// Whatever a page throws, as a page.
    func failure(
        _ error: any Error, _ request: Request, _ context: APIContext, _ visit: ConsoleVisit?
    ) throws -> Response {
        let (title, text, status, seconds) = Self.words(for: error)
        if status == .internalServerError {
            context.logger.error(
                "console failed",
                metadata: [
                    "route": .string(context.endpointPath ?? "?"), "error": .string(String(reflecting: error)),
                ])
        }
        var page = ConsolePage(title: title, lead: text)
        page.actions = [ConsoleLink(text: "To the start", href: Self.path)]
        var response = reply(
            page, status, visitor: visit.map(visitor), csrf: visit?.session.token.csrf ?? "")
        if let seconds { response.headers[.retryAfter] = String(seconds) }
        return response
    }

    private static func words(for error: any Error) -> (String, String, HTTPResponse.Status, seconds: Int?) {
        switch error {
        case ConsoleError.otherRole(let roles):
            let names = roles.map(\.rawValue).sorted().joined(separator: " or ")
            return ("Not allowed", "This page is for accounts of role \(names).", .forbidden, nil)
        case ConsoleError.foreignForm:
            return (
                "Not accepted",
                "This form is not from this session of the console. Go back, reload the page, and send it again.",
                .forbidden, nil
            )
        default:
            let problem = Problem.of(error) ?? .internalError
            let title =
                switch problem.code {
                case .malformedJSON: "The form could not be read"
                case .forbidden: "Not allowed"
                case .payloadTooLarge: "Too large"
                default: problem.code.title
                }
            return (title, problem.detail, problem.status, problem.retryAfterSeconds)
        }
    }

    // MARK: Who is here

    private func visitor(_ visit: ConsoleVisit) -> ConsoleVisitor {
        let account = visit.session.account
        let here = visit.request.uri.path
        let links: [(String, String, Role?)] = [
            ("Products", "/console/products", .developer), ("Promotions", "/console/promotions", .developer),
            ("Publish", "/console/publish", .developer), ("Versions", "/console/versions", .developer),
            ("Balance", "/console/balance", .developer), ("Orders", "/console/orders", .operator),
            ("Players", "/console/players", .operator), ("Changes", "/console/changes", nil),
        ]
        let nav = links.filter { $0.2 == nil || $0.2 == account.role }.map { text, href, _ in
            ConsoleLink(text: text, href: href, isCurrent: here == href || here.hasPrefix(href + "/"))
        }
        return ConsoleVisitor(name: account.displayName, role: account.role.rawValue, nav: nav)
    }
}
