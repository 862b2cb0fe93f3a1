import Accounts
import GameModel
import Hummingbird
import Store

/// What is sold, as the draft has it: the list, a product's form, its picture, and taking it out.
struct ProductPages: Sendable {
    let door: ConsoleDoor
    let editor: CatalogEditor
    let pictures: PictureService

    private static let list = ConsoleLink(text: "Products", href: "/console/products")

    func add(to console: RouterGroup<APIContext>) {
        console.get("products", use: door.page(for: [.developer], all))
        console.get("products/new", use: door.page(for: [.developer]) { _ in page(ProductForm(nil)) })
        console.post("products", use: door.form(for: [.developer], create))
        console.get("products/{id}", use: door.page(for: [.developer], show))
        console.post("products/{id}", use: door.form(for: [.developer], change))
        console.post("products/{id}/picture", use: door.form(for: [.developer], addPicture))
        console.get("products/{id}/remove", use: door.page(for: [.developer], askToRemove))
        console.post("products/{id}/remove", use: door.form(for: [.developer], remove))
    }

    static func path(_ id: ProductID) -> String { "/console/products/\(ConsolePath.part(id.rawValue))" }

    // MARK: The list

    @Sendable private func all(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let draft = try await editor.draft()
        let changes = try await editor.changes()
        let states = Dictionary(
            changes.map { ($0.subject, $0.kind) }, uniquingKeysWith: { first, _ in first })
        var page = ConsolePage(
            title: "Products", lead: "The draft: players see it once it is published.",
            actions: [.primary("New product", "/console/products/new")])
        page.blocks = [
            .tableBlock(
                "products", caption: "Products of the draft",
                columns: ["Product", "Kind", "Price", "Sold", "Draft"],
                rows: draft.products.map { row($0, states["product \($0.productId)"]) },
                empty: "There are no products yet. Make the first one.")
        ]
        let gone = changes.filter { $0.kind == .removed && $0.subject.hasPrefix("product ") }
        if !gone.isEmpty {
            page.blocks.append(
                .linesBlock(
                    "removed", heading: "Removed with the next version",
                    gone.map { String($0.subject.dropFirst("product ".count)) }))
        }
        return page
    }

    private func row(_ product: Product, _ change: CatalogChange.Kind?) -> [ConsoleCell] {
        var name = ConsoleCell(product.name, href: Self.path(product.productId), note: product.productId.rawValue)
        name.picture = product.picture.flatMap { pictures.url(of: $0) }.map { ConsolePicture(url: $0, alt: "") }
        let prices = product.prices.map(\.description) + product.virtualPrices.map(\.description)
        return [
            name, ConsoleCell(ConsoleWords.words(product.kind)),
            ConsoleCell(prices.isEmpty ? "none" : prices.joined(separator: ", ")), sold(product), Self.draft(change),
        ]
    }

    private func sold(_ product: Product) -> ConsoleCell {
        guard product.isActive else { return ConsoleCell("not for sale", tone: .quiet) }
        let window = [
            product.availableFrom.map { "from \(ConsoleWords.moment($0))" },
            product.availableUntil.map { "until \(ConsoleWords.moment($0))" },
        ].compactMap { $0 }
        return ConsoleCell("for sale", note: window.isEmpty ? nil : window.joined(separator: ", "), tone: .good)
    }

    static func draft(_ change: CatalogChange.Kind?) -> ConsoleCell {
        switch change {
        case .added: ConsoleCell("new", tone: .warning)
        case .changed: ConsoleCell("changed", tone: .warning)
        case .removed: ConsoleCell("removed", tone: .warning)
        case nil: ConsoleCell("as published", tone: .quiet)
        }
    }

    // MARK: One product

    @Sendable private func show(_ visit: ConsoleVisit) async throws -> ConsolePage {
        page(ProductForm(try await product(visit)))
    }

    @Sendable private func create(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let id = ProductID(rawValue: visit.body["productId"])
        guard try await editor.draft().products.allSatisfy({ $0.productId != id }) else {
            let taken = ["productId": "There is a product with this id. Choose another, or change that one."]
            return .again(page(ProductForm(visit.body, stored: nil), problems: taken))
        }
        return try await save(visit, stored: nil)
    }

    @Sendable private func change(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        try await save(visit, stored: try await product(visit))
    }

    private func save(_ visit: ConsoleVisit, stored: Product?) async throws -> ConsoleAnswer {
        let form = ProductForm(visit.body, stored: stored)
        let (product, problems) = form.product(visit.body)
        guard let product else { return .again(page(form, problems: problems)) }
        do {
            _ = try await editor.save(product, by: visit.editor)
        } catch {
            guard let problems = error.formProblem else { throw error }
            return .again(page(form, problems: problems))
        }
        return .seeOther(Self.path(product.productId), .saved)
    }

    private func page(_ form: ProductForm, problems: [String: String] = [:]) -> ConsolePage {
        var page = ConsolePage(title: form.stored?.name ?? "New product", trail: [Self.list])
        page.blocks = [.formBlock("product", form.form(problems: problems))]
        if let product = form.stored {
            page.lead = "Of the draft. Orders keep the price they were placed at."
            page.actions = [.danger("Remove", "\(Self.path(product.productId))/remove")]
            page.blocks.append(picture(of: product))
        }
        return page
    }

    private func product(_ visit: ConsoleVisit) async throws -> Product {
        let id: ProductID = try visit.id()
        guard let product = try await editor.draft().products.first(where: { $0.productId == id }) else {
            throw Problem.notFound("There is no product \(id) in the draft.")
        }
        return product
    }

    // MARK: Its picture

    private func picture(of product: Product, problem: String? = nil) -> ConsoleBlock {
        var form = ConsoleForm(action: "\(Self.path(product.productId))/picture", submit: "Upload")
        form.isMultipart = true
        form.fields = [
            .file(
                "file", "New picture", accept: "image/png,image/jpeg,image/webp",
                hint: "PNG, JPEG or WebP, up to 5 MiB. It is saved with the draft at once.")
        ]
        if let problem { form.add(["file": problem]) }
        var block = ConsoleBlock.formBlock("picture", heading: "Picture", form)
        if let url = product.picture.flatMap({ pictures.url(of: $0) }) {
            block.picture = ConsolePicture(url: url, alt: "The picture of \(product.name) now")
        }
        return block
    }

    @Sendable private func addPicture(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let product = try await product(visit)
        guard let file = visit.body.file, !file.content.isEmpty else {
            return .again(pictureAgain(product, "Choose a file."))
        }
        do {
            let key = try await pictures.add(file.content, by: visit.editor)
            _ = try await editor.save(product.with(picture: key), by: visit.editor)
        } catch {
            guard let problem = error.formProblem?.values.first else { throw error }
            return .again(pictureAgain(product, problem))
        }
        return .seeOther(Self.path(product.productId), .pictureSaved)
    }

    private func pictureAgain(_ product: Product, _ problem: String) -> ConsolePage {
        var page = page(ProductForm(product))
        page.blocks[page.blocks.count - 1] = picture(of: product, problem: problem)
        return page
    }

    // MARK: Taking it out

    @Sendable private func askToRemove(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let product = try await product(visit)
        var page = ConsolePage(
            title: "Remove \(product.name)?",
            lead:
                "It is taken out of the draft, and no longer sold once that is published. Players keep what they own.",
            trail: [Self.list, ConsoleLink(text: product.name, href: Self.path(product.productId))])
        page.blocks = [
            .formBlock(
                "remove",
                ConsoleForm(
                    action: "\(Self.path(product.productId))/remove", submit: "Remove from the draft",
                    cancel: ConsoleLink(text: "Keep it", href: Self.path(product.productId)), isDanger: true))
        ]
        return page
    }

    @Sendable private func remove(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let id: ProductID = try visit.id()
        try await editor.remove(product: id, by: visit.editor)
        return .seeOther("/console/products", .removed)
    }
}

extension Product {
    /// The same with another picture.
    fileprivate func with(picture: String) -> Product {
        Product(
            productId: productId, name: name, description: description, kind: kind, prices: prices,
            virtualPrices: virtualPrices, quantity: quantity, credit: credit, parts: parts,
            limitPerPlayer: limitPerPlayer, availableFrom: availableFrom, availableUntil: availableUntil,
            picture: picture, isActive: isActive)
    }
}
