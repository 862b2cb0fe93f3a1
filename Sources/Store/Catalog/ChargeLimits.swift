import GameModel

/// What a provider charges at least, at most, and in which steps.
extension Currency {
    /// The lowest charge, in minor units.
    ///
    /// Stripe, "Minimum and maximum charge amounts" (docs.stripe.com/currencies). It names none for CNY, KRW, KWD and
    /// TRY, where the charge has to be worth the minimum of the currency it is paid out in: these stay well above it.
    public var minimumCharge: Int64 {
        switch self {
        case .aud, .brl, .cad, .chf, .eur, .inr, .jpy, .nzd, .usd: 50
        case .gbp: 30
        case .czk: 1_500
        case .dkk: 250
        case .huf: 17_500
        case .mxn: 1_000
        case .nok, .sek: 300
        case .pln: 200
        case .cny: 500
        case .krw: 1_000
        case .kwd: 250
        case .try: 5_000
        }
    }

    /// Every charge is a multiple of this many minor units (Stripe: the last of three decimals is 0).
    public var chargeStep: Int64 { exponent == 3 ? 10 : 1 }
}
