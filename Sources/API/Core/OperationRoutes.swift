import HTTPTypes
import Hummingbird
import Telemetry

/// What operators and machines ask of the process itself: is it alive, can it work, how is it doing, what does it
/// answer.
struct OperationRoutes: Sendable {
    let readiness: Readiness
    let metrics: MetricsRegistry

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/healthz") { _, _ in Response.text("ok\n") }
        router.get("/readyz") { [readiness] _, _ in
            let summary = await readiness.summary()
            return try Response.json(summary, status: summary.ready ? .ok : .serviceUnavailable)
        }
        router.get("/metrics") { [metrics] _, _ in
            Response.text(metrics.text(), contentType: "text/plain; version=0.0.4; charset=utf-8")
        }
        router.get("/openapi.yaml") { _, _ in
            Response.text(OpenAPIFile.text, contentType: "application/yaml")
        }
    }
}

/// The description of the API, embedded at build.
public enum OpenAPIFile {
    public static var text: String { String(decoding: PackageResources.openapi_yaml, as: UTF8.self) }
}
