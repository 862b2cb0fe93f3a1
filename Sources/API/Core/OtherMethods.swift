import HTTPTypes
import Hummingbird

/// Answers 405 with `Allow` where a path is a route's and the method is not.
enum OtherMethods {
    private static let known = [
        HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect,
        HTTPRequest.Method("QUERY"),
    ].compactMap(\.self)

    /// Adds them for all routes that the router has.
    static func refuse(in router: Router<APIContext>) {
        let methods = Dictionary(grouping: router.routes, by: \.path.description).mapValues { Set($0.map(\.method)) }
        for (path, allowed) in methods {
            let allow = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in known where !allowed.contains(method) {
                router.on(RouterPath(path), method: method) { request, _ -> Response in
                    throw Problem.methodNotAllowed(request.method, allow: allow)
                }
            }
        }
    }
}
