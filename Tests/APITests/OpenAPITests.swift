import Testing

@testable import API

@Suite("The description of the API")
struct OpenAPITests {
    @Test("openapi.yaml describes each route that is there, and no other")
    func truth() async throws {
        try await withAPI { api in
            // The console's pages are for people with browsers: HTML, and no interface that others could rely on.
            let routes = Set(api.routes.filter { !$0.contains(" /console") })
            let described = OpenAPIReader(OpenAPIFile.text).operations
            #expect(routes.subtracting(described) == [], "routes that the file does not describe")
            #expect(described.subtracting(routes) == [], "what the file describes and is no route")
            #expect(described.count > 30)
        }
    }

    @Test("every reference in openapi.yaml leads somewhere, and every operation has a unique name")
    func references() {
        let reader = OpenAPIReader(OpenAPIFile.text)
        #expect(reader.references.subtracting(reader.components) == [])
        #expect(reader.operationNames.count == reader.operations.count)
        #expect(Set(reader.operationNames).count == reader.operationNames.count)
    }

    @Test("the codes of openapi.yaml are those of the program")
    func codes() throws {
        let line = OpenAPIFile.text.split(separator: "\n").first { $0.contains("enum: [malformed-request") }
        let codes = try #require(line).split(separator: "[")[1].split(separator: "]")[0]
        let names = codes.split(separator: ",").map { String($0.drop { $0 == " " }) }
        #expect(names == Problem.Code.allCases.map(\.rawValue))
    }
}

/// Reads as much of the file as the tests need: it is written in block style with two spaces to each level.
struct OpenAPIReader {
    /// `GET /v1/players/{id}`
    private(set) var operations: Set<String> = []
    private(set) var operationNames: [String] = []
    /// `schemas/Order`
    private(set) var references: Set<String> = []
    private(set) var components: Set<String> = []

    init(_ text: String) {
        var top = ""
        var second = ""
        for line in text.split(separator: "\n") {
            let indent = line.prefix { $0 == " " }.count
            let content = line.drop { $0 == " " }
            if indent == 0 { top = String(content.prefix { $0 != ":" }) }
            if indent == 2 { second = String(content.dropLast(content.hasSuffix(":") ? 1 : 0)) }
            if indent == 4 {
                let name = content.prefix { $0 != ":" }
                if top == "paths" { operations.insert("\(name.uppercased()) \(second)") }
                if top == "components" { components.insert("\(second)/\(name)") }
            }
            if content.hasPrefix("operationId: ") { operationNames.append(String(content.dropFirst(13))) }
            for part in line.split(separator: "'") where part.hasPrefix("#/components/") {
                references.insert(String(part.dropFirst("#/components/".count)))
            }
        }
    }
}
