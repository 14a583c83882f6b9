import Foundation
import Processes

/// moto's S3 from the project's Python environment, on a free port, checking signatures and rights
/// as AWS does.
///
/// All suites of a test process share one; tests take prefixes of their own. It ends with the test
/// process, however that ends. A test that ends the server starts its own.
package final class S3Server: Sendable {
    package struct Keys: Sendable, Decodable {
        package let access: String
        package let secret: String
    }

    package static let bucket = "manta-blobs"
    package static let region = "eu-central-1"

    package let port: UInt16
    /// May do everything with objects.
    package let writer: Keys
    /// May only get objects and list them.
    package let reader: Keys
    private let process: ChildProcess
    private let folder: String
    private let lifeline: Int32

    package var url: String { "http://127.0.0.1:\(port)" }

    /// What a process is started with to use the bucket as `writer`.
    package var environment: [String: String] { environment(of: writer) }

    package func environment(of keys: Keys) -> [String: String] {
        [
            "AWS_ACCESS_KEY_ID": keys.access, "AWS_SECRET_ACCESS_KEY": keys.secret,
            "AWS_REGION": S3Server.region, "AWS_ENDPOINT_URL": url,
        ]
    }

    /// The one server of this test process, started at first use.
    package static func shared() async throws -> S3Server { try await starting.value }

    private static let starting = Task { try await S3Server.start() }

    /// A server of its own.
    package static func start() async throws -> S3Server {
        let probe = try Sockets.listen()
        let port = try Sockets.port(of: probe)
        close(probe)
        let folder = NSTemporaryDirectory() + MLflowServer.unique("manta-s3")
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            throw MLflowServer.Failure(description: "No pipe for the S3 server.")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let moto = try Python.folder + "/moto_server"
        guard FileManager.default.isExecutableFile(atPath: moto) else {
            throw MLflowServer.Failure(description: "There is no \(moto): run script/bootstrap.")
        }
        var specification = ChildProcess.Specification(
            try Python.executable,
            ["-c", Python.launcher, folder, moto, "-H", "127.0.0.1", "-p", "\(port)"],
            environment: Python.environment)
        specification.workingDirectory = folder
        specification.standardOutput = .file(folder + "/server.log")
        specification.standardError = .file(folder + "/server.log")
        specification.extraDescriptors = [ends[0]]
        specification.deathSignal = nil
        let process = try ChildProcess.spawn(specification)
        do {
            let text = try await Python.run(setUp, arguments: ["http://127.0.0.1:\(port)"])
            let keys = try JSONDecoder().decode([Keys].self, from: Data(text.utf8))
            return S3Server(port, keys[0], keys[1], process, folder, lifeline: ends[1])
        } catch {
            await process.terminate(grace: .seconds(5))
            close(ends[1])
            throw error
        }
    }

    private init(
        _ port: UInt16, _ writer: Keys, _ reader: Keys, _ process: ChildProcess, _ folder: String,
        lifeline: Int32
    ) {
        self.port = port
        self.writer = writer
        self.reader = reader
        self.process = process
        self.folder = folder
        self.lifeline = lifeline
    }

    deinit { close(lifeline) }

    /// Ends the server.
    package func stop() async { await process.terminate(grace: .seconds(20)) }

    /// Waits for the server, makes two users and the bucket, and then asks it to check rights.
    private static let setUp = """
        import boto3, json, sys, time, urllib.request
        url = sys.argv[1]
        for _ in range(600):
            try:
                urllib.request.urlopen(url + "/moto-api/").read()
                break
            except OSError:
                time.sleep(0.1)
        options = dict(endpoint_url=url, region_name="\(region)",
                       aws_access_key_id="setup", aws_secret_access_key="setup")
        iam = boto3.client("iam", **options)
        answer = []
        for name, actions in [("writer", ["s3:*"]), ("reader", ["s3:GetObject", "s3:ListBucket"])]:
            iam.create_user(UserName=name)
            key = iam.create_access_key(UserName=name)["AccessKey"]
            policy = {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": actions, "Resource": "*"}]}
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
            answer.append({"access": key["AccessKeyId"], "secret": key["SecretAccessKey"]})
        boto3.client("s3", **options).create_bucket(
            Bucket="\(bucket)", CreateBucketConfiguration={"LocationConstraint": "\(region)"})
        request = urllib.request.Request(
            url + "/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"})
        urllib.request.urlopen(request).read()
        print(json.dumps(answer))
        """
}
