import Testing

@testable import DecisionForests

@Suite(.serialized) struct KernelChoiceTests {
    @Test("A build that this machine can run is used from then on")
    func chosen() throws {
        let before = KernelChoice.current
        #expect(before == .widest)
        defer { try? KernelChoice.use(named: before.rawValue) }
        for choice in KernelChoice.available {
            try KernelChoice.use(named: choice.rawValue)
            #expect(KernelChoice.current == choice)
        }
    }

    @Test("A build that nobody has is refused, with those that can be had")
    func refused() {
        let error = #expect(throws: ParameterError.self) { try KernelChoice.use(named: "avx9") }
        #expect(error?.description.contains("baseline") == true)
        #expect(KernelChoice.current == .widest)
    }
}
