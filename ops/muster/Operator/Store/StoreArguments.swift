import ArgumentParser
import Foundation
import GameModel
import Store

extension Money: ExpressibleByArgument {
    public init?(argument: String) { self.init(parsing: argument) }
}

extension VirtualMoney: ExpressibleByArgument {
    /// `100 gems`
    public init?(argument: String) {
        let parts = argument.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let amount = Int64(parts[0]), !parts[1].isEmpty else { return nil }
        self.init(amount: amount, currency: String(parts[1]))
    }
}

extension Product.Part: ExpressibleByArgument {
    /// `potion*3`
    public init?(argument: String) {
        let parts = argument.split(separator: "*", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let product = ProductID(rawValue: String(parts[0])),
            let quantity = parts.count == 1 ? 1 : Int(parts[1])
        else { return nil }
        self.init(productId: product, quantity: quantity)
    }
}

extension Instant: ExpressibleByArgument {
    /// `2026-12-01T12:00:00Z`, `2026-12-01` (its beginning in UTC), or Unix milliseconds.
    public init?(argument: String) {
        if let milliseconds = Int64(argument) {
            self.init(milliseconds: milliseconds)
            return
        }
        let text = argument.contains("T") ? argument : argument + "T00:00:00Z"
        do {
            self.init(try Date(text, strategy: .iso8601))
        } catch {
            return nil  // Said by the parser, with the value's name.
        }
    }
}

extension ProductKind: ExpressibleByArgument {}
extension OrderState: ExpressibleByArgument {}
extension ProductID: ExpressibleByArgument {
    public init?(argument: String) { self.init(rawValue: argument) }
}
extension OrderID: ExpressibleByArgument {
    public init?(argument: String) { self.init(rawValue: argument) }
}

/// A file named on the command line; `-` is standard input.
struct InputFile: ExpressibleByArgument {
    let path: String

    init?(argument: String) { path = argument }

    /// - Parameter bytesMax: more is refused before it fills the memory.
    func bytes(atMost bytesMax: Int) throws -> [UInt8] {
        let next = "Give the path of a file that can be read, or - for standard input."
        let data: Data?
        do {
            let file =
                path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: path))
            data = try file.read(upToCount: bytesMax + 1)
        } catch {
            throw CommandFailure("\(path) can't be read: \(error.localizedDescription)", nextStep: next)
        }
        guard (data?.count ?? 0) <= bytesMax else {
            throw CommandFailure("\(path) is larger than \(bytesMax) bytes.", nextStep: "Give a smaller file.")
        }
        return Array(data ?? Data())
    }
}
