// PayPal's objects, as far as they are sent and read. Source: developer.paypal.com/docs/api (Orders v2, Payments v2,
// Disputes v1, Transaction Search v1).

/// `POST /v2/checkout/orders`.
struct PayPalOrderRequest: Encodable {
    struct Unit: Encodable {
        let customId: String
        let invoiceId: String
        let amount: PayPalAmount
    }

    struct Source: Encodable {
        struct Wallet: Encodable { let vaultId: String }

        let paypal: Wallet
    }

    var intent = "CAPTURE"
    let purchaseUnits: [Unit]
    let paymentSource: Source
}

/// `POST /v2/payments/captures/{id}/refund`.
struct PayPalRefundRequest: Encodable {
    let amount: PayPalAmount
    let customId: String
}

struct PayPalToken: Decodable {
    let accessToken: String
    /// Seconds.
    let expiresIn: Int64
}

struct PayPalOrder: Decodable {
    struct Unit: Decodable {
        let customId: String?
        let payments: Payments?
    }

    struct Payments: Decodable {
        let captures: [PayPalCapture]?
        let refunds: [PayPalRefund]?
    }

    let id: String
    let status: String
    let purchaseUnits: [Unit]?

    var customId: String? { purchaseUnits?.lazy.compactMap(\.customId).first }
    var captures: [PayPalCapture] { purchaseUnits?.flatMap { $0.payments?.captures ?? [] } ?? [] }
    var refunds: [PayPalRefund] { purchaseUnits?.flatMap { $0.payments?.refunds ?? [] } ?? [] }
}

struct PayPalCapture: Decodable {
    struct Processor: Decodable { let responseCode: String? }
    struct Details: Decodable { let reason: String? }

    struct Related: Decodable {
        struct Names: Decodable { let orderId: String? }

        let relatedIds: Names?
    }

    let id: String
    let status: String
    let amount: PayPalAmount
    let customId: String?
    let statusDetails: Details?
    let processorResponse: Processor?
    let supplementaryData: Related?

    /// Whether money was taken, whatever became of it since.
    var isTaken: Bool { status == "COMPLETED" || isGivenBack }
    var isGivenBack: Bool { status == "PARTIALLY_REFUNDED" || status == "REFUNDED" }
    var orderId: String? { supplementaryData?.relatedIds?.orderId }
}

struct PayPalRefund: Decodable {
    let id: String
    let status: String
    let amount: PayPalAmount?
    let customId: String?

    var hasFailed: Bool { status == "FAILED" || status == "CANCELLED" }
}

struct PayPalDisputes: Decodable {
    let items: [PayPalDispute]?
}

struct PayPalDispute: Decodable {
    struct Outcome: Decodable { let outcomeCode: String? }

    let disputeId: String
    let status: String
    let disputeLifeCycleStage: String?
    /// Only where one dispute is asked for.
    let disputeOutcome: Outcome?

    var isResolved: Bool { status == "RESOLVED" }
}

struct PayPalTransactions: Decodable {
    struct Row: Decodable { let transactionInfo: Transaction }

    struct Transaction: Decodable {
        let transactionId: String
        let transactionEventCode: String?
        let transactionStatus: String?
        let transactionAmount: PayPalAmount?

        /// Money that a buyer paid (event codes T00nn), also where it was given back since (status V).
        var isPayment: Bool {
            transactionEventCode?.hasPrefix("T00") == true && transactionAmount?.value.hasPrefix("-") == false
                && (transactionStatus == "S" || transactionStatus == "V")
        }
    }

    let transactionDetails: [Row]?
    let totalPages: Int?
}

struct PayPalFault: Decodable {
    struct Detail: Decodable {
        let issue: String?
        let field: String?
        let description: String?
    }

    let name: String?
    let message: String?
    let details: [Detail]?
    /// What the token's route answers in place of a name.
    let error: String?
    let errorDescription: String?

    var issues: [String] { details?.compactMap(\.issue) ?? [] }
    /// PayPal's own code, the most exact one.
    var code: String? { issues.first ?? name ?? error }
    var words: String? { details?.lazy.compactMap(\.description).first ?? message ?? errorDescription }
}
