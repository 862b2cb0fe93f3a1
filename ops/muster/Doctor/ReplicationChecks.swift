/// Who else has what Redis holds.
enum ReplicationChecks {
    static let lagSecondsMax = 10

    static func all(_ server: ServerReading) -> [DoctorFinding] {
        guard server.info["role"] == "slave" else { return [master(server)] }
        var findings = [
            DoctorFinding.problem(
                "replication", "this is a replica of \(server.info["master_host"] ?? "another server")",
                why: "a replica takes no writes: jobs can be neither enqueued nor taken here",
                remedy: "Use the master's address, or redis-sentinel:// so that it is found by itself.")
        ]
        if server.info["master_link_status"] != "up" {
            findings.append(
                .problem(
                    "replication", "the link to its master is \(server.info["master_link_status"] ?? "unknown")",
                    why: "it falls behind, and a failover to it loses what it has not got",
                    remedy: "See whether the master runs and both logs."))
        }
        return findings
    }

    private static func master(_ server: ServerReading) -> DoctorFinding {
        let replicas = replicas(server)
        let wanted = server.config?["min-replicas-to-write"].flatMap { Int($0) } ?? 0
        if wanted > replicas.filter({ $0.isOnline && $0.lagSeconds <= lagSecondsMax }).count {
            return .problem(
                "replication", "\(replicas.count) replicas, and min-replicas-to-write is \(wanted)",
                why: "Redis refuses every write (NOREPLICAS)", remedy: "Start the replicas, or lower the setting.")
        }
        guard !replicas.isEmpty else {
            return .ok("replication", "master without a replica: if this machine is lost, so is what it holds")
        }
        let behind = replicas.filter { !$0.isOnline || $0.lagSeconds > lagSecondsMax }
        guard behind.isEmpty else {
            let names = behind.map { "\($0.address) (\($0.state), \($0.lagSeconds) s)" }
            return .warning(
                "replication", "replicas are behind: \(names.joined(separator: ", "))",
                why: "a failover to them loses jobs, and enqueues that ask for replicas fail",
                remedy: "See the replicas' logs, the network, and repl-backlog-size.")
        }
        let lag = replicas.map(\.bytesBehind).max() ?? 0
        let most = server.number("repl_backlog_size") ?? 0
        let what = "master of \(replicas.count) replicas, at most \(Quantity.bytes(lag)) behind"
        guard most > 0, lag > most else { return .ok("replication", what) }
        return .warning(
            "replication", what,
            why: "that is more than the backlog: a replica that loses its link must copy everything",
            remedy: "CONFIG SET repl-backlog-size to some 100 MiB.")
    }

    struct Replica: Equatable {
        var address: String
        var state: String
        var lagSeconds: Int
        var bytesBehind: Int
        var isOnline: Bool { state == "online" }
    }

    /// From fields like `slave0:ip=10.0.0.2,port=6379,state=online,offset=42,lag=0`.
    static func replicas(_ server: ServerReading) -> [Replica] {
        let offset = server.number("master_repl_offset") ?? 0
        return (0..<(server.number("connected_slaves") ?? 0)).compactMap { index in
            guard let text = server.info["slave\(index)"] else { return nil }
            var fields: [Substring: Substring] = [:]
            for part in text.split(separator: ",") {
                let pair = part.split(separator: "=", maxSplits: 1)
                if pair.count == 2 { fields[pair[0]] = pair[1] }
            }
            return Replica(
                address: "\(fields["ip"] ?? "?"):\(fields["port"] ?? "?")", state: String(fields["state"] ?? "unknown"),
                lagSeconds: fields["lag"].flatMap { Int($0) } ?? 0,
                bytesBehind: max(0, offset - (fields["offset"].flatMap { Int($0) } ?? offset)))
        }
    }
}
