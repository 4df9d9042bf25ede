/// A key made for tests, which guards nothing.
enum TestKey {
    static let pem = """
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

    /// On the curve P-256, and its public half in base64.
    static let p256 = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgm8BHAthgtF129c0+
        maQJNn2ML//vo66DWj1IOqavbBmhRANCAAQnfBbSYVo/dG/S+HTe3NYR/6RbbCl7
        Q0WEsIsKatHShts0A6aIwJb0egO2GYd8F2TmMFC4cHtVCkGj1L3fDi5R
        -----END PRIVATE KEY-----
        """
    static let p256Public =
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJ3wW0mFaP3Rv0vh03tzWEf+kW2wpe0NFhLCLCmrR0obb"
        + "NAOmiMCW9HoDthmHfBdk5jBQuHB7VQpBo9S93w4uUQ=="
}
