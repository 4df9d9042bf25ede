print("pinpost")
