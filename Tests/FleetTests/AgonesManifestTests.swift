import Foundation
import TestSupport
import Testing
import Yams

@testable import Fleet

/// What of `ops/deploy/agones` the allocator and the instances count on.
@Suite("Agones' manifests: what they say is what the allocator asks for, and no more rights than needed")
struct AgonesManifestTests {
    private typealias Map = [String: Any]

    private let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "ops/deploy/agones")

    /// The documents of all files, by kind and name.
    private func manifests() throws -> [String: Map] {
        var found: [String: Map] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) where file.hasSuffix(".yaml") {
            let text = String(decoding: try Data(contentsOf: folder.appending(path: file)), as: UTF8.self)
            for document in try Yams.load_all(yaml: text) {
                let map = try #require(document as? Map, "\(file) holds what is no object")
                let kind = try #require(map["kind"] as? String, "\(file): a document without its kind")
                #expect((map["apiVersion"] as? String)?.isEmpty == false, "\(file): \(kind)")
                let name = try #require(at(map, "metadata", "name") as? String, "\(file): \(kind) has no name")
                #expect(at(map, "metadata", "namespace") is String, "\(file): \(kind) \(name)")
                #expect(found.updateValue(map, forKey: "\(kind)/\(name)") == nil, "\(kind)/\(name) twice")
            }
        }
        return found
    }

    /// A value by names and numbers.
    private func at(_ value: Any?, _ path: Any...) -> Any? {
        path.reduce(value) { value, step in
            if let name = step as? String { return (value as? Map)?[name] }
            guard let index = step as? Int, let list = value as? [Any], list.indices.contains(index) else { return nil }
            return list[index]
        }
    }

    private func environment(_ container: Any?) -> [String: Any] {
        var found: [String: Any] = [:]
        for entry in at(container, "env") as? [Map] ?? [] {
            found[entry["name"] as? String ?? ""] = entry["value"] ?? entry["valueFrom"]
        }
        return found
    }

    @Test("a game server bears the labels it is asked for by, and its instance the name that the allocator gives it")
    func fleet() throws {
        let all = try manifests()
        let fleet = try #require(all["Fleet/muster"])
        let template = at(fleet, "spec", "template")
        #expect(fleet["apiVersion"] as? String == "agones.dev/v1")
        #expect(at(template, "metadata", "labels", AgonesLabels.region) as? String == "eu")
        #expect(at(fleet, "spec", "strategy", "rollingUpdate", "maxUnavailable") as? Int == 0)
        let container = at(template, "spec", "template", "spec", "containers", 0)
        let told = environment(container)
        #expect(told["MUSTER_INSTANCE_REGION"] as? String == "eu")
        #expect(told["MUSTER_INSTANCE_ID"] as? String == "$(MUSTER_INSTANCE_REGION).$(GAME_SERVER)")
        #expect(at(told["GAME_SERVER"], "fieldRef", "fieldPath") as? String == "metadata.name")
        #expect(told["MUSTER_INSTANCE_SLOTS"] as? String == "1", "one match on each server")
        #expect(told["MUSTER_INSTANCE_MATCHES_MAX"] as? String == "1")
        let grace = (told["MUSTER_INSTANCE_STOP_GRACE_SECONDS"] as? String).flatMap(Int.init)
        let bound = at(template, "spec", "template", "spec", "terminationGracePeriodSeconds") as? Int
        #expect(try #require(grace) + 20 < #require(bound), "what stops after the matches takes time too")
        // Kubernetes expands only what was named before.
        let names = (at(container, "env") as? [Map] ?? []).compactMap { $0["name"] as? String }
        let name = try #require(names.firstIndex(of: "MUSTER_INSTANCE_ID"))
        #expect(names[..<name].contains("GAME_SERVER") && names[..<name].contains("MUSTER_INSTANCE_REGION"))
        let port = at(template, "spec", "ports", 0)
        #expect(at(port, "name") as? String == "game" && at(port, "protocol") as? String == "TCP")
        #expect(told["MUSTER_INSTANCE_PORT"] as? String == (at(port, "containerPort") as? Int).map(String.init))
        #expect(at(told["MUSTER_INSTANCE_TOKEN"], "secretKeyRef", "key") != nil, "no secret in a manifest")

        let scaler = try #require(all["FleetAutoscaler/muster"])
        #expect(at(scaler, "spec", "fleetName") as? String == "muster")
        let buffer = at(scaler, "spec", "policy", "buffer")
        let (size, least, most) = (at(buffer, "bufferSize"), at(buffer, "minReplicas"), at(buffer, "maxReplicas"))
        #expect(try #require(size as? Int) <= #require(least as? Int))
        #expect(try #require(least as? Int) <= #require(most as? Int))

        let allocator = environment(
            at(all["Deployment/muster-allocator"], "spec", "template", "spec", "containers", 0))
        #expect(allocator["MUSTER_ALLOCATOR_DRIVER"] as? String == "agones")
        #expect(allocator["MUSTER_AGONES_FLEET"] as? String == "muster")
        #expect(allocator["MUSTER_AGONES_NAMESPACE"] as? String == at(fleet, "metadata", "namespace") as? String)
        #expect(allocator["MUSTER_AGONES_PORT"] as? String == at(port, "name") as? String)
        for key in ["URL", "CA", "CERTIFICATE", "KEY"] {
            #expect(allocator["MUSTER_AGONES_\(key)"] is String, "\(key)")
        }
        #expect(at(allocator["MUSTER_REDIS_URL"], "secretKeyRef") != nil, "no secret in a manifest")
    }

    @Test("policies for more clusters have what the published definition requires")
    func policies() throws {
        let policies = try manifests().filter { $0.key.hasPrefix("GameServerAllocationPolicy/") }
        #expect(policies.count == 2)
        for (name, policy) in policies {
            #expect(at(policy, "spec", "priority") is Int && at(policy, "spec", "weight") is Int, "\(name)")
            guard let connection = at(policy, "spec", "connectionInfo") else { continue }
            #expect((at(connection, "allocationEndpoints") as? [String])?.isEmpty == false)
            #expect(at(connection, "namespace") is String && at(connection, "secretName") is String)
        }
    }

    @Test("nobody has more rights than its work needs, in no other namespace, and nothing runs as root")
    func rights() throws {
        let all = try manifests()
        #expect(!all.keys.contains { $0.hasPrefix("Cluster") }, "no right in the whole cluster")
        var rights: Set<String> = []
        for (name, role) in all where name.hasPrefix("Role/") {
            for rule in at(role, "rules") as? [Map] ?? [] {
                for resource in rule["resources"] as? [String] ?? [] {
                    for verb in rule["verbs"] as? [String] ?? [] { rights.insert("\(resource):\(verb)") }
                }
            }
        }
        #expect(
            rights == ["events:create", "events:patch", "gameservers:list", "gameservers:watch", "gameservers:patch"],
            "what Agones' own role of a game server has")
        #expect(all["ServiceAccount/muster-allocator"]?["automountServiceAccountToken"] as? Bool == false)
        #expect(
            !all.contains { $0.key.hasPrefix("RoleBinding/") && "\($0.value)".contains("muster-allocator") },
            "the allocator has its certificate alone")
        let pods = [
            at(all["Fleet/muster"], "spec", "template", "spec", "template", "spec"),
            at(all["Deployment/muster-allocator"], "spec", "template", "spec"),
        ]
        for pod in pods {
            #expect(at(pod, "securityContext", "runAsNonRoot") as? Bool == true)
            let container = at(pod, "containers", 0, "securityContext")
            #expect(at(container, "allowPrivilegeEscalation") as? Bool == false)
            #expect(at(container, "readOnlyRootFilesystem") as? Bool == true)
            #expect(at(container, "capabilities", "drop") as? [String] == ["ALL"])
        }
    }
}
