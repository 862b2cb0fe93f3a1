/// What can be listed by its time.
protocol Dated {
    /// Unix seconds.
    var created: Int64 { get }
}

extension PaymentIntent: Dated {}
extension Charge: Dated {}
extension Refund: Dated {}
extension Dispute: Dated {}

/// Things in the order they came, found by id, listed newest first.
struct Listing<Element: Codable & Sendable & Dated>: Sendable {
    private var elements: [(id: String, element: Element)] = []
    private var positions: [String: Int] = [:]

    var count: Int { elements.count }

    subscript(id: String) -> Element? { positions[id].map { elements[$0].element } }

    mutating func set(_ element: Element, id: String) {
        if let position = positions[id] {
            elements[position].element = element
        } else {
            positions[id] = elements.count
            elements.append((id, element))
        }
    }

    /// At most `limit` of those within `times` that fit, older than the one named; `nil` where that one is not there.
    func page(
        limit: Int, after id: String?, in times: ClosedRange<Int64>, where fits: (Element) -> Bool
    ) -> (data: [Element], hasMore: Bool)? {
        var end = elements.count
        if let id {
            guard let position = positions[id] else { return nil }
            end = position
        }
        var found: [Element] = []
        for (_, element) in elements[..<end].reversed() {
            // They came in the order of their times.
            if element.created < times.lowerBound { break }
            guard element.created <= times.upperBound, fits(element) else { continue }
            if found.count == limit { return (found, true) }
            found.append(element)
        }
        return (found, false)
    }

    func count(_ condition: (Element) -> Bool) -> Int { elements.count { condition($0.element) } }

    /// Those within `times`, oldest first.
    func all(in times: ClosedRange<Int64>) -> [Element] {
        let start = elements.partitioningIndex { $0.element.created >= times.lowerBound }
        return elements[start...].prefix { $0.element.created <= times.upperBound }.map(\.element)
    }
}

extension Array {
    /// The first position from which on the condition holds, in an array where it never stops holding.
    fileprivate func partitioningIndex(where holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
