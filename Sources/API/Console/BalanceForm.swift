import GameData

/// The form of one thing of the balance, made from the table of its fields.
struct BalanceForm: Sendable {
    let list: BalanceList
    /// The thing's id; `nil` for one that is to be made.
    let id: String?
    /// What stands in the fields.
    var texts: [String: String]

    init(_ list: BalanceList, id: String?, fields: [String: JSONValue]) {
        self.list = list
        self.id = id
        texts = Dictionary(uniqueKeysWithValues: list.fields.map { ($0.name, $0.text(of: fields[$0.name])) })
    }

    init(_ list: BalanceList, id: String?, body: FormBody) {
        self.list = list
        self.id = id
        texts = Dictionary(uniqueKeysWithValues: (list.fields.map(\.name) + ["id"]).map { ($0, body[$0]) })
    }

    /// What the fields say, each for the draft to judge. One that may be left out and is empty is what the table says.
    var values: [String: JSONValue] {
        Dictionary(
            uniqueKeysWithValues: list.fields.map { field in
                let text = texts[field.name] ?? ""
                if text.isEmpty, let fallback = field.fallback { return (field.name, fallback) }
                return (field.name, field.value(of: text))
            })
    }

    func form(in draft: BalanceDocument, problems: [String: String]) -> ConsoleForm {
        var form = ConsoleForm(
            action: id.map { BalancePages.path(list, $0) } ?? "/console/balance/new/\(list.rawValue)",
            submit: "Save to the draft", cancel: ConsoleLink(text: "Cancel", href: "/console/balance"))
        if id == nil {
            form.fields.append(
                .text(
                    "id", "Id", texts["id"] ?? "", hint: "\(BalanceFields.idAbout). It can’t be changed later.",
                    required: true))
        }
        let tree = BalanceTree(draft)
        form.fields += list.fields.map { control($0, in: tree) }
        form.add(problems)
        return form
    }

    private func control(_ field: BalanceField, in draft: BalanceTree) -> ConsoleField {
        let (text, label) = (texts[field.name] ?? "", Self.label(field.name))
        let hint = "\(field.about) Expected: \(field.expectation)."
        switch field.form {
        case .integer:
            return .number(field.name, label, text, hint: hint, required: field.fallback == nil)
        case .text: return .text(field.name, label, text, hint: hint, required: true)
        case .choice(let choices):
            return .select(field.name, label, text, choices.map { ($0, $0) }, hint: field.about)
        case .reference(let list):
            // What it names stays to be seen where it is not there any more.
            let ids = draft.things(list).map(\.id)
            let all = text.isEmpty || ids.contains(text) ? ids : ids + [text]
            return .select(field.name, label, text, all.map { ($0, $0) }, hint: field.about)
        case .references: return .text(field.name, label, text, hint: "\(hint) Written with commas.")
        }
    }

    /// `cooldownMs` as people read it: `Cooldown ms`.
    static func label(_ name: String) -> String {
        let words = name.reduce(into: "") { words, letter in
            words += letter.isUppercase ? " \(letter.lowercased())" : String(letter)
        }
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}

extension GameDataError {
    /// What was refused, by the field of the form it is about; `nil` where it is about no field.
    var formProblem: [String: String]? {
        switch self {
        case .invalidBalance(let faults):
            Dictionary(
                faults.map { fault in
                    let field = fault.path.split(separator: ".").last.map(String.init) ?? ""
                    return (field, "This is not right: \(fault.reason).")
                }, uniquingKeysWith: { first, _ in first })
        case .invalid(let field, let detail): [field: "This is not right: \(detail)."]
        default: nil
        }
    }
}
