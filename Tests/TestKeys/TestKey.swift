/// Keys made for tests, which guard nothing.
public enum TestKey {
    public static let pem = """
        -----BEGIN PRIVATE KEY-----
        MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC/t5iBmTIBZHx/
        suzjbEZIz5kHY1j12+sj3d0d2r7A9U+/0dyj0K73veP9QkjcL1LVIAzTFwgWOlqe
        /sL4NZqPXXDs5X3tdnPGXq30c+/g9RAXrLwbaZEx74mXIHREHWGo5N7Ac7d50z1F
        qCC4NygUDegfWXXKBszMswjETtHFKO/Y28X/6mAe+FIL0auUNpczcV4lfwuBm4G8
        BKWPGLOxHwwBP7U5CMHvDbNHDo3/nQj8LEyBxys+yzPSg3M2xjwtiqqQuZGc79G3
        6nbc7wf+BUeRJ3E6+0N1+x32q3Cmrbwe/gpopSnk1dR6fT49S8AlfD8rh5GbZs4j
        WiOIWgY9AgMBAAECggEALvV07PWNqoqm9g5o+LGaK5Zx2L3sWdhCqbfbw8bDJ3dO
        z+DDBvsECFmiQPPd7dTHmL1vdrry96LWdJBZSDu0/n24PcZeiG4VoJarTC+jp3nP
        NcVRE/PRJSaTkIlaAR8jPx/EMeaGH9hubyPl08lqzzKy0w7yC4iL3G3T7WWS+xQF
        ri+2uVBSjBGTAy8cD5o0MzZlp9gp9A9BQe2EWeLjDKpc5vZVF0tyDu3PxgadEfI9
        w9aLEQJprhQPofS3sW87c9gOqQQrvim1LMm4F2og15YpjZaFMD6E0Do8DwQA/IIj
        FloZd1CByU4G59M+8jwQjHzQOIlex0Ny/OVyShoXfwKBgQDqFcZwQoPLRjczolGW
        vwWmPzKJKpiZ91HrCS7/CoRL8+wXFDPdOyKpvfqcy4siMUl6yZGcHFEe1ymx4xmi
        EHRdHvwbcH0Ff2pkOFH3fdY++4Pp2u2M5WIskSt+v8vzHz8ESgx4+T4e+6yxKAXj
        DpSYvuEeC/tMGtGjRqrioErbmwKBgQDRqmfv9BGPAvdGmqYrIdjv6S0btENJPq0c
        72hNAVGPxFIyeIdhqn/3y8brI6jRHt15vEyssApuOFF6kS5SYx8ajGZY0qtzhtMQ
        RsB8/j479QmWvqMqhA7o78hB7KjWb+ZVAyIRYHGrjf+x0SLccEzRe10zhXGymSFo
        QUyriCbfBwKBgA2WTfpeIgA+hx28Ijg5xj4sFObZThpBvMODuPKczakK830zcv84
        W362xEEtn1nQuo8h/A2vpxW/L3Bf2jEJ+3ccQU3mbZtQFgDTNA7FgxYMy09bocY3
        2kbz9i5ZO6FVAvdgxPCQpwZtXUy7IfxX8FAdZDu2PlPgiqKLi4ez/iRZAoGBALaP
        46rLYZKeKYQf2rrJ4SSda7qozsHzQjdkuvP6RvOhJVVvH6rKFF1G4bETPsbAUmbS
        sAzZyGtKvJ+11JjGWGn8gI2s+r9AUX3lrWvo0XXRmoTZAChgDr+DMmM815LIos25
        SavJx5Byt4c0rF83pZvuCCx5cJPrxGwMF99wUTB3AoGBAOSqP8mGjICWqO8+qMnn
        cXdeM/1rKKOdsd7Czj0iYQ2iOvFiY6JJpaNsO1LESPTfwTgETVIFVBImKXG1XMdD
        nBf3qJbSBMqE63ZTjLsz/KseLXpYrFHE+IiIDOeuAPgyizVrIzBCZsk+jBZYZxC0
        8u18tfFPoKXOWZy7lJhc5HTE
        -----END PRIVATE KEY-----
        """

    /// The same key as PKCS#1.
    public static let pkcs1 = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIEpAIBAAKCAQEAv7eYgZkyAWR8f7Ls42xGSM+ZB2NY9dvrI93dHdq+wPVPv9Hc
        o9Cu973j/UJI3C9S1SAM0xcIFjpanv7C+DWaj11w7OV97XZzxl6t9HPv4PUQF6y8
        G2mRMe+JlyB0RB1hqOTewHO3edM9RagguDcoFA3oH1l1ygbMzLMIxE7RxSjv2NvF
        /+pgHvhSC9GrlDaXM3FeJX8LgZuBvASljxizsR8MAT+1OQjB7w2zRw6N/50I/CxM
        gccrPssz0oNzNsY8LYqqkLmRnO/Rt+p23O8H/gVHkSdxOvtDdfsd9qtwpq28Hv4K
        aKUp5NXUen0+PUvAJXw/K4eRm2bOI1ojiFoGPQIDAQABAoIBAC71dOz1jaqKpvYO
        aPixmiuWcdi97FnYQqm328PGwyd3Ts/gwwb7BAhZokDz3e3Ux5i9b3a68vei1nSQ
        WUg7tP59uD3GXohuFaCWq0wvo6d5zzXFURPz0SUmk5CJWgEfIz8fxDHmhh/Ybm8j
        5dPJas8ystMO8guIi9xt0+1lkvsUBa4vtrlQUowRkwMvHA+aNDM2ZafYKfQPQUHt
        hFni4wyqXOb2VRdLcg7tz8YGnRHyPcPWixECaa4UD6H0t7FvO3PYDqkEK74ptSzJ
        uBdqINeWKY2WhTA+hNA6PA8EAPyCIxZaGXdQgclOBufTPvI8EIx80DiJXsdDcvzl
        ckoaF38CgYEA6hXGcEKDy0Y3M6JRlr8Fpj8yiSqYmfdR6wku/wqES/PsFxQz3Tsi
        qb36nMuLIjFJesmRnBxRHtcpseMZohB0XR78G3B9BX9qZDhR933WPvuD6drtjOVi
        LJErfr/L8x8/BEoMePk+HvussSgF4w6UmL7hHgv7TBrRo0aq4qBK25sCgYEA0apn
        7/QRjwL3RpqmKyHY7+ktG7RDST6tHO9oTQFRj8RSMniHYap/98vG6yOo0R7debxM
        rLAKbjhRepEuUmMfGoxmWNKrc4bTEEbAfP4+O/UJlr6jKoQO6O/IQeyo1m/mVQMi
        EWBxq43/sdEi3HBM0XtdM4VxspkhaEFMq4gm3wcCgYANlk36XiIAPocdvCI4OcY+
        LBTm2U4aQbzDg7jynM2pCvN9M3L/OFt+tsRBLZ9Z0LqPIfwNr6cVvy9wX9oxCft3
        HEFN5m2bUBYA0zQOxYMWDMtPW6HGN9pG8/YuWTuhVQL3YMTwkKcGbV1MuyH8V/BQ
        HWQ7tj5T4Iqii4uHs/4kWQKBgQC2j+Oqy2GSnimEH9q6yeEknWu6qM7B80I3ZLrz
        +kbzoSVVbx+qyhRdRuGxEz7GwFJm0rAM2chrSryftdSYxlhp/ICNrPq/QFF95a1r
        6NF10ZqE2QAoYA6/gzJjPNeSyKLNuUmryceQcreHNKxfN6Wb7ggseXCT68RsDBff
        cFEwdwKBgQDkqj/JhoyAlqjvPqjJ53F3XjP9ayijnbHews49ImENojrxYmOiSaWj
        bDtSxEj038E4BE1SBVQSJilxtVzHQ5wX96iW0gTKhOt2U4y7M/yrHi16WKxRxPiI
        iAznrgD4Mos1ayMwQmbJPowWWGcQtPLtfLXxT6Clzlmcu5SYXOR0xA==
        -----END RSA PRIVATE KEY-----
        """

    /// Of 1024 bits.
    public static let short = """
        -----BEGIN PRIVATE KEY-----
        MIICdQIBADANBgkqhkiG9w0BAQEFAASCAl8wggJbAgEAAoGBAJiCh3mOIMRogYPh
        /8JPAhGFIuAPInswwyfKHy1/w+XBTtV9ZZiXBzQCT2MtavwW0Pg03Gg+mmRYFUCu
        CH5I+Q67QYy2tAv3apXWJlK0rktgA9yM6Mj0zDbdSUWE08G7vlCDG039Rtf7sXm8
        t3iSGCRtLndJrfadtcX8zH5lVKJVAgMBAAECgYAQKMRx/L08Elamwqt2yyhM8u5f
        Dzt4EhKbhK8JAyCel3zi4gaBxH7e49/Fgmpzi3dY1UEFSpzRRQP7dnUv7Et3Oj/E
        czkqXW3G+fqSPkc6oUgPPApB10NA8AHeHomCjmGpg3PtMCKmvVkl+ERNgn3aGPA9
        rvuaoVY2oWRaRuw8AQJBAMhEQN/9rcni/vyypl69vIq9ecZSJZOxzkbFQQ+7HGaO
        Twxjcm/3xlJa4L7v+YXIO2QlIgcyqMOHNDqMzJEGFQ0CQQDC8+gKtUbuHUBxlEE+
        lfsNzXH2BG48WAquAboesfg2W/RMV6/AofxtLS9amUYrvu4X/eGs53v5adoICZZH
        rgBpAkBbmAvr5kRT78Qbo0HAVxsigWJuuCeDk3D6oUEOhs+IgFHbIqi2WSaViAb+
        jRccfuXa+bjEfgD93JqgpMDzG0sJAkAd3a/WtB7Bq8mLnOLB68giPS8QOW2J4RMB
        xVH2Ed2stjme2HAcWrSJJTrz7jdJzF49Xq+MBYqAky7LvGxBXu7BAkAFuDCJys4J
        NVUt2BEVajhLnt29oKdovlMBucDm/aX2F23ksrIGCCOH2BxQSvNLlSzB11A54F/k
        b1rENQ1/3h0f
        -----END PRIVATE KEY-----
        """

    /// On the curve P-256, and its public half in base64.
    public static let p256 = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgm8BHAthgtF129c0+
        maQJNn2ML//vo66DWj1IOqavbBmhRANCAAQnfBbSYVo/dG/S+HTe3NYR/6RbbCl7
        Q0WEsIsKatHShts0A6aIwJb0egO2GYd8F2TmMFC4cHtVCkGj1L3fDi5R
        -----END PRIVATE KEY-----
        """
    public static let p256Public =
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJ3wW0mFaP3Rv0vh03tzWEf+kW2wpe0NFhLCLCmrR0obb"
        + "NAOmiMCW9HoDthmHfBdk5jBQuHB7VQpBo9S93w4uUQ=="

    /// The other half of ``pem``.
    public static let publicPEM = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAv7eYgZkyAWR8f7Ls42xG
        SM+ZB2NY9dvrI93dHdq+wPVPv9Hco9Cu973j/UJI3C9S1SAM0xcIFjpanv7C+DWa
        j11w7OV97XZzxl6t9HPv4PUQF6y8G2mRMe+JlyB0RB1hqOTewHO3edM9RagguDco
        FA3oH1l1ygbMzLMIxE7RxSjv2NvF/+pgHvhSC9GrlDaXM3FeJX8LgZuBvASljxiz
        sR8MAT+1OQjB7w2zRw6N/50I/CxMgccrPssz0oNzNsY8LYqqkLmRnO/Rt+p23O8H
        /gVHkSdxOvtDdfsd9qtwpq28Hv4KaKUp5NXUen0+PUvAJXw/K4eRm2bOI1ojiFoG
        PQIDAQAB
        -----END PUBLIC KEY-----
        """
}
