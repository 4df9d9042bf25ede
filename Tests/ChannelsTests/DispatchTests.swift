import Channels
import Messaging
import Testing
