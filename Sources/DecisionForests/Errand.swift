#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a new thread is given to do.
final class Errand: Sendable {
    private let body: @Sendable () -> Void

    private init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }

    /// A thread that runs `body`, nil if the system has none to give. Nobody joins a detached one.
    static func start(
        detached: Bool = false, _ body: @escaping @Sendable () -> Void
    ) -> pthread_t? {
        let errand = Unmanaged.passRetained(Errand(body))
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let code = pthread_create(&thread, nil, { Errand.run($0) }, errand.toOpaque())
        guard code == 0 else {
            errand.release()
            return nil
        }
        #if canImport(Darwin)
            if detached, let thread { pthread_detach(thread) }
        #else
            if detached { pthread_detach(thread) }
        #endif
        return thread
    }

    private static func run(_ errand: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let errand { Unmanaged<Errand>.fromOpaque(errand).takeRetainedValue().body() }
        return nil
    }
}
