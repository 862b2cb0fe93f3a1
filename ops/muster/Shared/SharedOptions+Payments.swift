import Configuration
import Foundation
import Store

extension SharedOptions {
    /// The sandbox of a `muster up` that runs on the data folder, as the payment providers; `nil` where none runs.
    func sandboxPayments() throws -> PaymentSettings? {
        guard let up = try UpState.read(from: dataFolder), let file = up.paymentsKeyFile,
            let key = FileManager.default.contents(atPath: file)
        else { return nil }
        let secret = String(decoding: key, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        var settings = PaymentSettings()
        settings.stripeURL = up.paymentsUrl
        settings.stripeSecretKey = secret
        var payPal = PaymentSettings.PayPal(clientId: UpFolder.payPalClientId, clientSecret: secret)
        payPal.url = up.paymentsUrl
        settings.payPal = payPal
        return settings
    }

    /// The payment providers as they are set, else the sandbox of a `muster up`; `nil` where neither is known.
    func payments() throws -> PaymentSettings? {
        let reader = reader()
        guard reader.string(forKey: "muster.payments.url") != nil,
            reader.string(forKey: "muster.payments.secret-key", isSecret: true) != nil
        else { return try sandboxPayments() }
        return PaymentSettings(
            string: { reader.string(forKey: ConfigKey($0), isSecret: $1) }, int: { reader.int(forKey: ConfigKey($0)) })
    }
}
