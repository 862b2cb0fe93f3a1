import Foundation
import GameData
import Jobs

/// How jobs are printed for programs: one object, names as in the library's types, times in Unix ms.
enum JobJSON {
    static func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Bytes as JSON where they are JSON, else as text, else in base64; and which of the three.
    static func value(_ bytes: [UInt8]) -> (value: JSONValue, form: String) {
        do {
            return (try JSONDecoder().decode(JSONValue.self, from: Data(bytes)), "json")
        } catch {
            // Not JSON: shown as what it is.
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return (.string(Data(bytes).base64EncodedString()), "base64")
            }
            return (.string(text), "text")
        }
    }
}

/// What `muster jobs ls` and `muster jobs dead ls` print.
struct JobListOutput: Encodable {
    let jobs: [JobRecord]
    /// Whether there may be more than were asked for.
    let isCut: Bool
}

/// What `muster jobs show` prints: the record, and what is in its payload and result.
struct JobShowOutput: Encodable {
    let record: JobRecord

    private enum CodingKeys: CodingKey {
        case payload, payloadForm, result, resultForm
    }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        if let payload = record.payload {
            let (value, form) = JobJSON.value(payload)
            try container.encode(value, forKey: .payload)
            try container.encode(form, forKey: .payloadForm)
        }
        if let result = record.result {
            let (value, form) = JobJSON.value(result)
            try container.encode(value, forKey: .result)
            try container.encode(form, forKey: .resultForm)
        }
    }
}

struct JobWhyOutput: Encodable {
    let id: JobID
    let queue: QueueName
    let state: JobState
    let why: [String]
}

struct JobTraceOutput: Encodable {
    let id: JobID
    let queue: QueueName
    let state: JobState
    let life: [LifeEvent]
}
