import Foundation
import GameModel

/// An order of PayPal's, as it is kept. Source: developer.paypal.com/docs/api/orders/v2.
struct PayPalOrder: Codable, Equatable, Sendable, Dated {
    enum Status: String, Codable, Sendable {
        case approved = "APPROVED"
        case completed = "COMPLETED"
    }

    let id: String
    /// Minor units.
    let amount: Int64
    /// In upper case.
    let currency: String
    var status: Status
    var capture: String?
    let token: String
    let customId: String?
    let invoiceId: String?
    let created: Int64
}

/// `POST /v2/checkout/orders`, as far as it is read.
struct PayPalOrderBody: Decodable {
    struct Unit: Decodable {
        let amount: PayPalMoney
        let customId: String?
        let invoiceId: String?
    }

    struct Source: Decodable {
        struct Wallet: Decodable { let vaultId: String? }

        let paypal: Wallet?
    }

    let intent: String
    let purchaseUnits: [Unit]
    let paymentSource: Source?
}

/// `POST /v2/payments/captures/{id}/refund`, as far as it is read.
struct PayPalRefundBody: Decodable {
    let amount: PayPalMoney?
    let customId: String?
}

/// An amount as a decimal text.
struct PayPalMoney: Codable, Sendable, Equatable {
    let currencyCode: String
    let value: String

    init(_ minorUnits: Int64, _ currency: String) {
        currencyCode = currency.uppercased()
        value = Currency(rawValue: currencyCode).map { Money(minorUnits: minorUnits, currency: $0).amount } ?? ""
    }

    var minorUnits: Int64? { Currency(rawValue: currencyCode)?.minorUnits(parsing: value) }
}

struct PayPalLink: Encodable, Sendable {
    let href: String
    let rel: String
    var method = "GET"
}

/// A capture in PayPal's JSON.
struct PayPalCaptureView: Encodable, Sendable {
    struct Related: Encodable, Sendable {
        struct Names: Encodable, Sendable { let orderId: String }

        let relatedIds: Names
    }

    struct Details: Encodable, Sendable { let reason: String }

    let id: String
    let status: String
    let amount: PayPalMoney
    let customId: String?
    let invoiceId: String?
    let supplementaryData: Related
    let statusDetails: Details?
    let createTime: String
    let links: [PayPalLink]

    init(_ charge: Charge) {
        id = charge.id
        status =
            switch charge.status {
            case .failed: "DECLINED"
            case .pending: "PENDING"
            case .succeeded where charge.refunded: "REFUNDED"
            case .succeeded where charge.amountRefunded > 0: "PARTIALLY_REFUNDED"
            case .succeeded: "COMPLETED"
            }
        amount = PayPalMoney(charge.amount, charge.currency)
        customId = charge.metadata["custom_id"]
        invoiceId = charge.metadata["invoice_id"]
        supplementaryData = Related(relatedIds: .init(orderId: charge.paymentIntent))
        statusDetails = charge.status == .pending ? Details(reason: "PENDING_REVIEW") : nil
        createTime = PayPalJSON.time(charge.created)
        links = [
            PayPalLink(href: "/v2/payments/captures/\(charge.id)", rel: "self"),
            PayPalLink(href: "/v2/checkout/orders/\(charge.paymentIntent)", rel: "up"),
        ]
    }
}

/// A refund in PayPal's JSON.
struct PayPalRefundView: Encodable, Sendable {
    let id: String
    let status: String
    let amount: PayPalMoney
    let customId: String?
    let createTime: String
    let links: [PayPalLink]

    init(_ refund: Refund, _ custom: String?) {
        id = refund.id
        status =
            switch refund.status {
            case .pending: "PENDING"
            case .succeeded: "COMPLETED"
            case .failed: "FAILED"
            }
        amount = PayPalMoney(refund.amount, refund.currency)
        customId = refund.metadata?["custom_id"] ?? custom
        createTime = PayPalJSON.time(refund.created)
        links = [
            PayPalLink(href: "/v2/payments/refunds/\(refund.id)", rel: "self"),
            PayPalLink(href: "/v2/payments/captures/\(refund.charge)", rel: "up"),
        ]
    }
}

/// An order in PayPal's JSON.
struct PayPalOrderView: Encodable, Sendable {
    struct Unit: Encodable, Sendable {
        struct Payments: Encodable, Sendable {
            let captures: [PayPalCaptureView]
            let refunds: [PayPalRefundView]?
        }

        let amount: PayPalMoney
        let customId: String?
        let invoiceId: String?
        let payments: Payments?
    }

    let id: String
    var intent = "CAPTURE"
    let status: String
    let purchaseUnits: [Unit]
    let createTime: String

    init(_ order: PayPalOrder, _ capture: Charge?, _ refunds: [Refund]) {
        id = order.id
        status = order.status.rawValue
        let views = refunds.map { PayPalRefundView($0, order.customId) }
        purchaseUnits = [
            Unit(
                amount: PayPalMoney(order.amount, order.currency), customId: order.customId,
                invoiceId: order.invoiceId,
                payments: capture.map { .init(captures: [PayPalCaptureView($0)], refunds: views.isEmpty ? nil : views) }
            )
        ]
        createTime = PayPalJSON.time(order.created)
    }
}

/// A dispute in PayPal's JSON. Source: developer.paypal.com/docs/api/customer-disputes/v1.
struct PayPalDisputeView: Encodable, Sendable {
    struct Transaction: Encodable, Sendable {
        let sellerTransactionId: String
        let custom: String?
    }

    struct Outcome: Encodable, Sendable { let outcomeCode: String }

    let disputeId: String
    let disputedTransactions: [Transaction]
    var reason = "UNAUTHORISED"
    let status: String
    let disputeAmount: PayPalMoney
    let disputeLifeCycleStage: String
    var disputeOutcome: Outcome?
    let createTime: String

    init(_ dispute: Dispute, _ custom: String?) {
        disputeId = dispute.id
        disputedTransactions = [Transaction(sellerTransactionId: dispute.charge, custom: custom)]
        status =
            switch dispute.status {
            case .warningNeedsResponse, .needsResponse: "WAITING_FOR_SELLER_RESPONSE"
            case .underReview: "UNDER_REVIEW"
            case .won, .lost: "RESOLVED"
            }
        disputeAmount = PayPalMoney(dispute.amount, dispute.currency)
        disputeLifeCycleStage = dispute.status == .warningNeedsResponse ? "INQUIRY" : "CHARGEBACK"
        switch dispute.status {
        case .won: disputeOutcome = Outcome(outcomeCode: "RESOLVED_SELLER_FAVOUR")
        case .lost: disputeOutcome = Outcome(outcomeCode: "RESOLVED_BUYER_FAVOUR")
        default: disputeOutcome = nil
        }
        createTime = PayPalJSON.time(dispute.created)
    }

    /// As a list tells it.
    var withoutOutcome: PayPalDisputeView {
        var view = self
        view.disputeOutcome = nil
        return view
    }
}

struct PayPalDisputeList: Encodable, Sendable { let items: [PayPalDisputeView] }

/// A page of a report. Source: developer.paypal.com/docs/api/transaction-search/v1.
struct PayPalReport: Encodable, Sendable {
    struct Row: Encodable, Sendable { let transactionInfo: Transaction }

    struct Transaction: Encodable, Sendable {
        let transactionId: String
        let transactionEventCode: String
        let transactionStatus: String
        let transactionAmount: PayPalMoney
        let transactionInitiationDate: String
        let customField: String?
        let invoiceId: String?
    }

    let transactionDetails: [Row]
    let page: Int
    let totalItems: Int
    let totalPages: Int
}

/// An event as PayPal sends it.
struct PayPalEvent<Resource: Encodable & Sendable>: Encodable, Sendable {
    let id: String
    let eventType: String
    let createTime: String
    let resource: Resource
}

struct PayPalFault: Encodable, Sendable {
    struct Detail: Encodable, Sendable {
        let issue: String
        let description: String
        var field: String?
    }

    let name: String
    let message: String
    let details: [Detail]
}

enum PayPalJSON {
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            preconditionFailure("our own values are JSON: \(error)")
        }
    }

    static func read<T: Decodable>(_ type: T.Type, _ text: String) -> T? {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { return try decoder.decode(type, from: Data(text.utf8)) } catch { return nil }
    }

    /// - Parameter seconds: of Unix time.
    static func time(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }
}

extension SandboxAnswer {
    static func payPal(_ value: some Encodable, status: Int = 200) -> SandboxAnswer {
        SandboxAnswer(status: status, body: PayPalJSON.text(value))
    }

    static func payPalFault(
        _ status: Int, _ name: String, issue: String? = nil, field: String? = nil, _ words: String
    ) -> SandboxAnswer {
        let details = issue.map { [PayPalFault.Detail(issue: $0, description: words, field: field)] } ?? []
        return .payPal(PayPalFault(name: name, message: words, details: details), status: status)
    }

    static func payPalRefusal(_ issue: String, field: String? = nil, _ words: String) -> SandboxAnswer {
        .payPalFault(422, "UNPROCESSABLE_ENTITY", issue: issue, field: field, words)
    }

    static let payPalNotFound = payPalFault(
        404, "RESOURCE_NOT_FOUND", issue: "INVALID_RESOURCE_ID", "The specified resource does not exist.")
}
