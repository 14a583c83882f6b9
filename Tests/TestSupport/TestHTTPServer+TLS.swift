import Foundation
import Processes

/// An HTTPS server with a certificate of its own making, for `localhost`. It answers every request
/// with "secure". Python's ssl module serves it, from the project's Python environment.
package final class TestTLSServer: Sendable {
    package let port: UInt16
    /// PEM file of the certificate: trusted only by those who are given it.
    package let certificatePath: String
    private let folder: String
    private let process: ChildProcess

    package var url: String { "https://localhost:\(port)" }

    package static func start() async throws -> TestTLSServer {
        let folder = NSTemporaryDirectory() + MLflowServer.unique("manta-tls")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var specification = ChildProcess.Specification(
            try Python.executable, ["-c", script, folder], environment: Python.environment)
        specification.standardError = .file(folder + "/server.log")
        let process = try ChildProcess.spawn(specification)
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let text = try? String(contentsOfFile: folder + "/port", encoding: .utf8)
            if let port = text.flatMap(UInt16.init) {
                return TestTLSServer(port: port, folder: folder, process: process)
            }
            guard process.isRunning, ContinuousClock.now < deadline else {
                let log =
                    (try? String(contentsOfFile: folder + "/server.log", encoding: .utf8)) ?? ""
                throw MLflowServer.Failure(description: "The TLS server did not start: \(log)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private init(port: UInt16, folder: String, process: ChildProcess) {
        self.port = port
        self.folder = folder
        self.process = process
        certificatePath = folder + "/certificate.pem"
    }

    package func stop() async {
        process.signal(SIGKILL)
        _ = await process.wait()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static let script = """
        import datetime, http.server, os, ssl, sys
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        folder = sys.argv[1]
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256()))
        pem = serialization.Encoding.PEM
        with open(folder + "/certificate.pem", "wb") as file:
            file.write(certificate.public_bytes(pem))
        with open(folder + "/key.pem", "wb") as file:
            file.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                plain = self.path == "/plain"
                self.send_response(302 if plain else 200)
                if plain:
                    self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"secure")
            def log_message(self, *arguments):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/certificate.pem", folder + "/key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with open(folder + "/port.new", "w") as file:
            file.write(str(server.server_port))
        os.rename(folder + "/port.new", folder + "/port")
        server.serve_forever()
        """
}
