import APIWorker
import ArgumentParser
import GameModel
import Store

/// `muster store pictures`.
struct StorePicturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pictures",
        abstract: "Add pictures for products.",
        discussion: """
            Example:
              muster store pictures add axe.png
            """,
        subcommands: [StorePicturesAddCommand.self])
}

/// `muster store pictures add`.
struct StorePicturesAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a picture, and print the key that products name it by.",
        discussion: """
            PNG, JPEG or WebP, at most 5 MiB. It goes to the bucket of muster.pictures.s3.*, or to the data folder \
            where none is set. The same file added twice is one picture.

            Example:
              muster store products set frost-axe --picture $(muster store pictures add axe.png)
            """)

    struct Output: Encodable {
        let key: String
        let url: String
    }

    @OptionGroup var access: StoreAccess
    @Argument(help: "The file, or - for standard input.") var file: InputFile
    @Flag(help: "Print JSON, with the address that players read it from.") var json = false

    func run() async throws {
        let content = try file.bytes(atMost: PictureService.bytesMax)
        let settings = PictureSettings(reader: access.shared.reader())
        do {
            try settings.validate()
        } catch {
            throw CommandFailure("\(error)", nextStep: "Give another value with --set key=value or in the environment.")
        }
        let added = try await access.with { desk in
            let (pictures, _) = try settings.open(dataFolder: access.shared.dataFolder, repository: desk.repository)
            let key = try await pictures.add(content, by: StoreAccess.editor)
            return Output(key: key, url: pictures.url(of: key) ?? key)
        }
        if json { return try StoreText.printJSON(added) }
        print(added.key)
    }
}
