/// The points and weights of Gauss and Legendre's quadrature over 0...1, which is exact for
/// polynomials of degree 2 n − 1 at n points.
///
/// Made of +, −, × and ÷ alone, so that every machine gets the same bits. The points are the roots
/// of the Legendre polynomial, by Newton's method from cosines; recurrence and weights as in
/// Abramowitz and Stegun, "Handbook of Mathematical Functions", 22.7 and 25.4.29.
struct GaussLegendre {
    /// Ascending, inside 0...1.
    private(set) var places: [Double] = []
    /// 1 − places, to full precision.
    private(set) var rests: [Double] = []
    /// They sum to 1.
    private(set) var weights: [Double] = []

    init(count: Int) {
        precondition(count > 0, "at least one point")
        places = Array(repeating: 0.5, count: count)
        rests = places
        weights = places
        for index in 0..<(count + 1) / 2 {
            var x = Self.cosine(Double(4 * index + 3) / Double(4 * count + 2))
            var slope = 1.0
            // Newton's steps double the digits: from the cosine's three, four would be enough.
            for _ in 0..<5 {
                let (value, found) = Self.legendre(count, at: x)
                slope = found
                x -= value / slope
            }
            if 2 * index + 1 == count { x = 0 }
            slope = Self.legendre(count, at: x).slope
            let weight = 1 / ((1 - x) * (1 + x) * slope * slope)
            let mirrored = count - 1 - index
            (places[index], places[mirrored]) = ((1 - x) / 2, (1 + x) / 2)
            (rests[index], rests[mirrored]) = ((1 + x) / 2, (1 - x) / 2)
            (weights[index], weights[mirrored]) = (weight, weight)
        }
    }

    /// cos(π y) for y in 0...0.5, by its series.
    private static func cosine(_ y: Double) -> Double {
        let square = Double.pi * Double.pi * y * y
        var (term, sum) = (1.0, 1.0)
        for k in stride(from: 2.0, through: 24.0, by: 2.0) {
            term *= -square / ((k - 1) * k)
            sum += term
        }
        return sum
    }

    /// The Legendre polynomial of this degree, and its derivative.
    private static func legendre(_ degree: Int, at x: Double) -> (value: Double, slope: Double) {
        var (before, value) = (1.0, x)
        for k in 1..<max(1, degree) {
            let k = Double(k)
            (before, value) = (value, ((2 * k + 1) * x * value - k * before) / (k + 1))
        }
        let slope = Double(degree) * (before - x * value) / ((1 - x) * (1 + x))
        return (value, slope)
    }
}
