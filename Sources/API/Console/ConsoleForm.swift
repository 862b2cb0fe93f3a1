/// A form as a page shows it: its fields with what stands in them, and what is wrong with that.
struct ConsoleForm: Sendable {
    /// Where it goes.
    var action: String
    var fields: [ConsoleField] = []
    var submit: String
    var isDanger = false
    /// Asks by GET: for searches, which change nothing.
    var isSearch = false
    /// Carries a file.
    var isMultipart = false
    var cancel: ConsoleLink?
    /// What is wrong, each with the field it is about; above the form.
    var problems: [ConsoleProblem] = []
    var problemsHeading = "This was not saved"

    init(action: String, submit: String, cancel: ConsoleLink? = nil, isDanger: Bool = false) {
        self.action = action
        self.submit = submit
        self.cancel = cancel
        self.isDanger = isDanger
    }

    /// Ties each problem to the field it is about; those of no field stand above the form.
    mutating func add(_ problems: [String: String]) {
        for index in fields.indices {
            guard let text = problems[fields[index].id] else { continue }
            fields[index].problem = text
            self.problems.append(ConsoleProblem(text: "\(fields[index].label): \(text)", field: fields[index].id))
        }
        let known = Set(fields.map(\.id))
        for (name, text) in problems.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
            self.problems.append(ConsoleProblem(text: name.isEmpty ? text : "\(name): \(text)", field: nil))
        }
    }
}

struct ConsoleProblem: Sendable {
    var text: String
    var field: String?
}

/// One labelled control.
struct ConsoleField: Sendable {
    /// Its name in the request, and its id in the document.
    var id: String
    var label: String
    var value: String
    var hint: String? { didSet { describe() } }
    var problem: String? { didSet { describe() } }
    /// The ids of what describes it.
    private(set) var described: String?
    /// Of `input`: `text`, `number`, `datetime-local`, `password`, `email`, `file`; `nil` for the others.
    var type: String?
    var area: ConsoleArea?
    var options: [ConsoleOption] = []
    var isSelect = false
    var isCheckbox = false
    var isChecked = false
    var isHidden = false
    var isRequired = false
    var isFixed = false
    var autocomplete: String?
    /// Of files: what may be chosen.
    var accept: String?
    /// Asks for the keyboard of numbers.
    var inputMode: String?

    private init(_ id: String, _ label: String, _ value: String, hint: String?) {
        self.id = id
        self.label = label
        self.value = value
        self.hint = hint
        describe()
    }

    private mutating func describe() {
        let ids = [hint == nil ? nil : "\(id)-hint", problem == nil ? nil : "\(id)-problem"].compactMap { $0 }
        described = ids.isEmpty ? nil : ids.joined(separator: " ")
    }

    static func text(
        _ id: String, _ label: String, _ value: String = "", hint: String? = nil, required: Bool = false,
        type: String = "text"
    ) -> ConsoleField {
        var field = ConsoleField(id, label, value, hint: hint)
        field.type = type
        field.isRequired = required
        return field
    }

    static func number(
        _ id: String, _ label: String, _ value: String = "", hint: String? = nil, required: Bool = false
    ) -> ConsoleField {
        // Not of type number: browsers drop what is no number, and the page could not say what was wrong with it.
        var field = text(id, label, value, hint: hint, required: required)
        field.inputMode = "numeric"
        return field
    }

    static func moment(_ id: String, _ label: String, _ value: String = "", hint: String? = nil, required: Bool = false)
        -> ConsoleField
    {
        text(id, label, value, hint: hint, required: required, type: "datetime-local")
    }

    static func area(
        _ id: String, _ label: String, _ value: String = "", hint: String? = nil, rows: Int = 3, required: Bool = false
    ) -> ConsoleField {
        var field = ConsoleField(id, label, value, hint: hint)
        field.area = ConsoleArea(rows: rows)
        field.isRequired = required
        return field
    }

    static func select(
        _ id: String, _ label: String, _ value: String, _ options: [(value: String, text: String)], hint: String? = nil
    ) -> ConsoleField {
        var field = ConsoleField(id, label, value, hint: hint)
        field.isSelect = true
        field.options = options.map { ConsoleOption(value: $0.value, text: $0.text, isChosen: $0.value == value) }
        return field
    }

    static func checkbox(_ id: String, _ label: String, _ isChecked: Bool, hint: String? = nil) -> ConsoleField {
        var field = ConsoleField(id, label, "yes", hint: hint)
        field.isCheckbox = true
        field.isChecked = isChecked
        return field
    }

    static func file(_ id: String, _ label: String, accept: String, hint: String? = nil) -> ConsoleField {
        var field = text(id, label, hint: hint, required: true, type: "file")
        field.accept = accept
        return field
    }

    static func hidden(_ id: String, _ value: String) -> ConsoleField {
        var field = ConsoleField(id, "", value, hint: nil)
        field.isHidden = true
        return field
    }

    /// The same, not to be changed.
    var fixed: ConsoleField {
        var field = self
        field.isFixed = true
        return field
    }
}

struct ConsoleArea: Sendable {
    var rows: Int
}

struct ConsoleOption: Sendable {
    var value: String
    var text: String
    var isChosen: Bool
}
