extension VonageSMS {
    /// The codes of the Vonage SMS API: `submit` is `status` in a response, `receipt` is `status` in a receipt, `error`
    /// is `err-code` in a receipt (providers.md sections 2.2, 2.2.1 and 10).
    ///
    /// For `failed` and `rejected` the receipt's own line counts only when the error says nothing.
    static let table = StatusTable(
        builtIn: """
            # kind,code,state,permanence,action,reason
            submit,0,submitted,none,wait,accepted
            submit,1,failed,transient_provider,throttle,throttled_provider
            # A parameter of ours is missing or wrong: mostly our settings, sometimes this one message.
            submit,2,failed,config,failover_once,config_error
            submit,3,failed,config,failover_once,config_error
            submit,4,failed,config,halt_provider,auth_failed
            submit,5,failed,transient_provider,retry_same,provider_error
            submit,6,rejected,permanent_recipient,stop,invalid_destination
            submit,7,rejected,permanent_recipient,stop,blocked_by_carrier
            submit,8,failed,config,halt_provider,account_suspended
            submit,9,failed,config,halt_provider,insufficient_credit
            submit,10,failed,transient_provider,throttle,throttled_provider
            submit,11,failed,config,halt_provider,account_suspended
            submit,12,failed,permanent_message,stop,too_long
            submit,14,failed,config,halt_provider,auth_failed
            # The sender is not allowed in this account or country; another provider may allow it.
            submit,15,failed,config,failover,sender_invalid
            submit,22,failed,transient_provider,failover,no_route
            submit,23,failed,config,failover_once,config_error
            submit,29,failed,config,halt_provider,config_error
            submit,32,failed,config,failover_once,config_error
            submit,33,rejected,permanent_recipient,stop,deactivated_number
            receipt,accepted,sent,none,wait,accepted
            receipt,buffered,sent,none,wait,accepted
            receipt,delivered,delivered,none,none,ok
            receipt,expired,expired,transient_recipient,failover_channel,expired
            receipt,failed,undelivered,transient_provider,failover,unknown
            receipt,rejected,rejected,transient_provider,failover,unknown
            receipt,unknown,unknown,none,none,no_dlr
            error,0,delivered,none,none,ok
            error,1,undelivered,transient_provider,failover,unknown
            error,2,undelivered,transient_recipient,retry_same,unreachable_temporary
            error,3,undelivered,permanent_recipient,stop,deactivated_number
            error,4,rejected,permanent_recipient,stop,call_barred
            error,5,undelivered,transient_provider,failover,no_route
            error,6,rejected,permanent_message,failover_once,spam_filtered
            error,7,undelivered,transient_recipient,retry_same,handset_busy
            error,8,undelivered,transient_provider,retry_same,carrier_error
            error,9,rejected,permanent_recipient,stop_suppress,opted_out
            error,10,failed,permanent_message,stop,content_rejected
            error,11,undelivered,transient_provider,failover,no_route
            error,12,undelivered,permanent_recipient,stop,invalid_destination
            # The age restriction of the recipient's contract.
            error,13,rejected,permanent_message,stop,content_rejected
            error,14,rejected,transient_provider,failover,blocked_by_carrier
            # The recipient's own prepaid credit, not ours.
            error,15,undelivered,transient_recipient,stop,call_barred
            error,50-54,failed,config,failover,sender_unregistered
            error,95,undelivered,transient_provider,failover,unknown
            error,99,undelivered,transient_provider,failover,no_route
            """
    )
}
