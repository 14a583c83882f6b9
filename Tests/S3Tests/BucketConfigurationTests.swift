import Foundation
import Testing

@testable import S3

@Suite struct BucketConfigurationTests {
    static let keys = Credentials(accessKey: "AK", secretKey: "the-secret", sessionToken: "token")

    @Test(
        "A location becomes URLs, by path or by host",
        arguments: [
            ("s3://data", nil, nil, "https://data.s3.us-east-1.amazonaws.com/a/b%20c"),
            ("s3://data/x/y/", nil, nil, "https://data.s3.us-east-1.amazonaws.com/x/y/a/b%20c"),
            ("s3://my.data", nil, nil, "https://s3.us-east-1.amazonaws.com/my.data/a/b%20c"),
            ("s3://data/x", "http://h:9000", nil, "http://h:9000/data/x/a/b%20c"),
            ("s3://data/x", "http://h:9000/", .virtual, "http://data.h:9000/x/a/b%20c"),
            ("s3://data", nil, .path, "https://s3.us-east-1.amazonaws.com/data/a/b%20c"),
        ] as [(String, String?, BucketConfiguration.Addressing?, String)])
    func urls(
        _ location: String, _ endpoint: String?, _ style: BucketConfiguration.Addressing?,
        _ url: String
    ) throws {
        let configuration = try BucketConfiguration(
            location: location, endpoint: endpoint, addressing: style, credentials: Self.keys)
        #expect(configuration.url(of: "a/b c") == url)
        let asked = configuration.url(of: "k", query: [("uploads", ""), ("a", "1/2")])
        #expect(asked.hasSuffix("k?a=1%2F2&uploads="))
    }

    @Test(
        "A location or server that cannot be used is refused",
        arguments: [
            ("s3:/data", nil), ("s3://", nil), ("s3://ab", nil), ("s3://Data", nil),
            ("s3://-data", nil), ("s3://da..ta", nil), ("s3://data/../x", nil),
            ("s3://data/a b", nil), ("s3://data/" + String(repeating: "x", count: 600), nil),
            ("s3://data", "ftp://h"), ("s3://data", "http://h/path"),
            ("s3://data", "http://user:password@h"), ("s3://data", "http://h?x"),
        ] as [(String, String?)])
    func refused(_ location: String, _ endpoint: String?) {
        let error = #expect(throws: BucketSettingError.self) {
            try BucketConfiguration(
                location: location, endpoint: endpoint, credentials: Self.keys)
        }
        #expect(error?.description.contains("password") == false)
    }

    @Test("Settings come from AWS's own variables")
    func environment() throws {
        let configuration = try BucketConfiguration(
            location: "s3://data/p",
            environment: [
                "AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_SESSION_TOKEN": "T",
                "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ENDPOINT_URL_S3": "https://minio:9000",
                "AWS_ENDPOINT_URL": "https://other", "MANTA_S3_ADDRESSING": "virtual",
                "AWS_CA_BUNDLE": "/ca.pem",
            ])
        #expect(configuration.region == "eu-west-1")
        #expect(configuration.endpoint == "https://minio:9000")
        #expect(configuration.addressing == .virtual)
        #expect(configuration.authoritiesPath == "/ca.pem")
        #expect(
            configuration.credentials
                == Credentials(accessKey: "AK", secretKey: "SK", sessionToken: "T"))
    }

    @Test("Without variables the profile in AWS's files is taken")
    func files() throws {
        let home = NSTemporaryDirectory() + "manta-aws-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: home + "/.aws", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        try """
        [default]
        aws_access_key_id = AK1
        aws_secret_access_key=SK1=
        ; a comment
        [ work ]
        aws_access_key_id = AK2
        aws_secret_access_key = SK2
        aws_session_token = T2
        [half]
        aws_access_key_id = AK3
        """.write(toFile: home + "/.aws/credentials", atomically: true, encoding: .utf8)
        try "[default]\nregion = eu-north-1\n[profile work]\nregion = ap-east-1\n"
            .write(toFile: home + "/.aws/config", atomically: true, encoding: .utf8)
        let first = try BucketConfiguration(location: "s3://data", environment: ["HOME": home])
        #expect(first.credentials == Credentials(accessKey: "AK1", secretKey: "SK1="))
        #expect(first.region == "eu-north-1")
        let second = try BucketConfiguration(
            location: "s3://data", environment: ["HOME": home, "AWS_PROFILE": "work"])
        #expect(
            second.credentials
                == Credentials(accessKey: "AK2", secretKey: "SK2", sessionToken: "T2"))
        #expect(second.region == "ap-east-1")
        for variables in [
            ["HOME": home, "AWS_PROFILE": "half"], ["HOME": home, "AWS_PROFILE": "none"],
            ["HOME": "/nowhere"], ["HOME": home, "AWS_ACCESS_KEY_ID": "alone"],
        ] {
            #expect(throws: BucketSettingError.self) {
                try BucketConfiguration(location: "s3://data", environment: variables)
            }
        }
    }

    @Test("No text made of a configuration holds a secret")
    func secrets() throws {
        let configuration = try BucketConfiguration(location: "s3://data", credentials: Self.keys)
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("the-secret") && !text.contains("token"))
            #expect(text.contains("data"))
        }
    }

    @Test("S3's XML is read with its entities, and nonsense is no element")
    func answers() {
        let answer = BucketAnswer("<a><K>x&amp;y&#x41;&bad;&lt;</K><K>2</K><K>open</a>")
        #expect(answer.first("K") == "x&yA&bad;<")
        #expect(answer.elements("K").map { $0.first("K") }.count == 2)
        #expect(answer.first("none") == nil)
    }
}
