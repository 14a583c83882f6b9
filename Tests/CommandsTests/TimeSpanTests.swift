import Testing

@testable import Commands

@Suite struct TimeSpanTests {
    @Test(
        "Times have units and may have several",
        arguments: [
            ("90s", 90.0), ("10m", 600), ("1h30m", 5_400), ("500ms", 0.5), ("2d", 172_800),
            ("0.5h", 1_800), ("0s", 0),
        ])
    func read(_ text: String, _ seconds: Double) throws {
        #expect(try TimeSpan(text).seconds == seconds)
    }

    @Test(
        "What is no time is refused, a bare number with a guess",
        arguments: ["", "m", "10", "1.5", "10x", "-5s", "1m ", "1e3s", "1..5s", "٣m", "∞s"])
    func refuse(_ text: String) {
        let error = #expect(throws: SettingError.self) { try TimeSpan(text) }
        if text == "10" {
            #expect(error?.description == "a time needs a unit; did you mean 10s or 10m?")
        }
    }
}
