import Foundation
import GameModel
import TestSupport
import Testing

@testable import Store

/// Signature Version 4, held against the vectors that AWS published and against AWS's own library.
@Suite struct PictureSignatureTests {
    /// Of the S3 API's reference, "Authenticating Requests", 2013-05-24.
    private static let reference = SigV4(
        accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region: "us-east-1")
    private static let referenceTime = Instant(milliseconds: 1_369_353_600_000)
    private static let host = (name: "Host", value: "examplebucket.s3.amazonaws.com")
    private static let noBody = SigV4.payloadHash([])

    private func referenceRequest(
        _ method: String, _ path: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], payload: String = noBody
    ) -> SigV4.Request {
        .init(
            method: method, path: path, query: query,
            headers: headers + [Self.host, ("x-amz-content-sha256", payload), ("x-amz-date", "20130524T000000Z")],
            payloadHash: payload)
    }

    @Test("the four signed examples of the S3 API's reference come out as printed there")
    func referenceExamples() {
        let get = referenceRequest("GET", "/test.txt", headers: [("Range", "bytes=0-9")])
        #expect(
            Self.reference.authorization(for: get, at: Self.referenceTime)
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        let body = SigV4.payloadHash(Array("Welcome to Amazon S3.".utf8))
        #expect(body == "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
        let put = referenceRequest(
            "PUT", "/" + SigV4.encoded("test$file.text"),
            headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            payload: body)
        #expect(
            Self.reference.signature(of: put, at: Self.referenceTime)
                == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
        let lifecycle = referenceRequest("GET", "/", query: [("lifecycle", "")])
        #expect(
            Self.reference.signature(of: lifecycle, at: Self.referenceTime)
                == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        let list = referenceRequest("GET", "/", query: [("max-keys", "2"), ("prefix", "J")])
        #expect(
            Self.reference.signature(of: list, at: Self.referenceTime)
                == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test("the presigned address of the S3 API's reference comes out as printed there")
    func referencePresigned() {
        let request = SigV4.Request(
            method: "GET", path: "/test.txt", headers: [Self.host], payloadHash: SigV4.unsignedPayload)
        #expect(
            Self.reference.presignedQuery(for: request, lifetime: .seconds(86_400), at: Self.referenceTime)
                == "X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    @Test(
        "AWS's test suite of signatures",
        arguments: [
            // get-vanilla
            ([], [], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            // get-vanilla-query-order-key-case
            (
                [("Param2", "value2"), ("Param1", "value1")], [],
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
            ),
            // get-header-value-trim
            (
                [], [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
            ),
        ] as [([(name: String, value: String)], [(name: String, value: String)], String)])
    func suite(
        query: [(name: String, value: String)], headers: [(name: String, value: String)], signature: String
    ) {
        let signer = SigV4(
            accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "us-east-1",
            service: "service")
        let request = SigV4.Request(
            method: "GET", path: "/", query: query,
            headers: [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")] + headers,
            payloadHash: Self.noBody)
        #expect(signer.signature(of: request, at: Instant(milliseconds: 1_440_938_160_000)) == signature)
    }

    /// The same request, signed by botocore.
    private static let botocore = #"""
        import datetime, json, sys
        import botocore.auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        given = json.load(sys.stdin)
        moment = datetime.datetime.fromtimestamp(given["at"], datetime.timezone.utc)
        botocore.auth.get_current_datetime = lambda *a, **k: moment.replace(tzinfo=None)
        auth = botocore.auth.S3SigV4QueryAuth(
            Credentials(given["accessKey"], given["secretKey"]), "s3", given["region"], expires=given["expires"])
        request = AWSRequest(method="PUT", url=given["url"], headers=given["headers"])
        auth.add_auth(request)
        print(request.url)
        """#

    @Test("an upload's address is the one that AWS's own library signs, query item by query item")
    func foreignPresigned() async throws {
        let picture = try #require(PictureName(sha256: String(repeating: "0a", count: 32), format: .webp))
        let now = Instant(milliseconds: 1_790_000_000_123)
        let bucket = try S3Pictures(
            endpoint: "http://127.0.0.1:9000/", bucket: "muster.pictures", region: "eu-central-1", accessKey: "AKIA42",
            secretKey: "a/secret+key=")
        let upload = try await bucket.upload(picture, bytes: 4_321, at: now)
        struct Given: Encodable {
            let at: Int64, accessKey: String, secretKey: String, region: String, expires: Int
            let url: String, headers: [String: String]
        }
        let plain = try #require(upload.url.split(separator: "?").first)
        let given = Given(
            at: now.milliseconds / 1_000, accessKey: "AKIA42", secretKey: "a/secret+key=", region: "eu-central-1",
            expires: 900, url: String(plain), headers: upload.headers)
        let foreign = try await ForeignProgram.output(
            try ForeignProgram.python(), ["-c", Self.botocore], input: Array(try JSONEncoder().encode(given)))
        func items(_ url: String) throws -> [URLQueryItem] {
            try #require(URLComponents(string: url.trimmingCharacters(in: .whitespacesAndNewlines))?.queryItems)
                .sorted { $0.name < $1.name }
        }
        #expect(try items(upload.url) == items(foreign))
        #expect(
            upload.url.contains(
                "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bx-amz-checksum-sha256"))
        #expect(upload.expiresAt == now + .seconds(900))
        #expect(!"\(bucket)".contains("secret+key"), "\(bucket)")
    }
}
