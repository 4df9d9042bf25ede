extension InfobipSMS {
    /// The codes of Infobip's SMS API: `status` is `status.id`, `group` is `status.groupId` for ids that are not here,
    /// `error` is `error.id`, and `override` is `error.id` where the flag `permanent` is known to be wrong
    /// (providers.md sections 2.4 and 10).
    ///
    /// Of an error's line the state is not used: the status tells it.
    static let table = StatusTable(
        builtIn: """
            # kind,code,state,permanence,action,reason
            status,26,submitted,none,wait,accepted
            status,3,sent,none,wait,accepted
            status,7,sent,none,wait,accepted
            # Delivered to the operator only, although its group says DELIVERED.
            status,2,sent,none,wait,accepted
            status,5,delivered,none,none,ok
            status,4,undelivered,transient_provider,failover,blocked_by_carrier
            status,9,undelivered,transient_recipient,failover,carrier_error
            status,31,failed,transient_provider,failover,provider_error
            status,96,undelivered,transient_recipient,retry_same,no_answer
            status,97,undelivered,transient_recipient,retry_same,busy
            status,98,canceled,none,none,canceled
            status,99,rejected,transient_recipient,failover_channel,no_answer
            status,15,expired,transient_recipient,failover_channel,expired
            status,29,unknown,none,none,no_dlr
            status,87,rejected,permanent_recipient,stop,fraud_blocked
            status,6,failed,transient_provider,failover,no_route
            status,19,failed,transient_provider,failover,no_route
            status,8,rejected,permanent_recipient,stop,invalid_destination
            status,51,rejected,permanent_recipient,stop,invalid_destination
            status,52,rejected,permanent_recipient,stop,invalid_destination
            status,10,rejected,permanent_recipient,stop_suppress,opted_out
            # The sender is not allowed in this account or country; another provider may allow it.
            status,11,failed,config,failover,sender_invalid
            status,13,failed,config,failover,sender_invalid
            status,12,failed,config,halt_provider,insufficient_credit
            status,17,failed,config,halt_provider,insufficient_credit
            status,14,rejected,permanent_recipient,stop,blocked_by_carrier
            status,18,failed,config,halt_provider,config_error
            # 20 different and 6 identical messages a number and hour, unless Infobip extends it.
            status,20,rejected,transient_recipient,throttle,throttled_recipient
            status,21,failed,transient_provider,retry_same,provider_error
            status,100,failed,transient_provider,retry_same,provider_error
            # It has the message already: our own retry after a lost answer.
            status,23,submitted,none,wait,duplicate
            status,24,failed,permanent_message,stop,content_rejected
            status,25,failed,permanent_message,stop,too_long
            group,0,submitted,none,wait,accepted
            group,1,submitted,none,wait,accepted
            group,2,undelivered,transient_recipient,failover,carrier_error
            # Not delivered: what an unknown id of this group means is not known to be the handset.
            group,3,sent,none,wait,accepted
            group,4,expired,transient_recipient,failover_channel,expired
            group,5,rejected,transient_provider,failover,unknown
            error,1,undelivered,permanent_recipient,stop,unknown_subscriber
            error,5,undelivered,transient_recipient,failover,unknown_subscriber
            error,6,undelivered,transient_recipient,failover,unreachable_temporary
            error,27,undelivered,transient_recipient,failover,unreachable_temporary
            error,9,undelivered,permanent_recipient,stop,unknown_subscriber
            error,11,undelivered,permanent_recipient,stop,landline_or_unsupported
            error,12,undelivered,permanent_recipient,stop,landline_or_unsupported
            error,13,undelivered,transient_recipient,failover,call_barred
            error,31,undelivered,transient_recipient,failover,handset_busy
            error,32,undelivered,transient_recipient,failover,carrier_error
            error,33,undelivered,transient_recipient,failover,handset_full
            error,34,undelivered,transient_provider,failover,carrier_error
            error,255,undelivered,transient_recipient,failover,unknown
            error,256,undelivered,transient_recipient,failover,handset_full
            error,500-509,undelivered,transient_provider,failover,carrier_error
            error,560-564,undelivered,config,failover,blocked_by_carrier
            error,565,undelivered,config,failover,blocked_by_carrier
            error,566-571,undelivered,config,failover,blocked_by_carrier
            error,572,undelivered,config,failover,sender_unregistered
            error,573,undelivered,config,failover,blocked_by_carrier
            error,574,undelivered,config,failover,blocked_by_carrier
            error,581,undelivered,config,halt_provider,insufficient_credit
            error,594,undelivered,config,failover,sender_unregistered
            error,629,undelivered,permanent_recipient,stop,landline_or_unsupported
            error,351,undelivered,permanent_recipient,stop,invalid_destination
            error,352,undelivered,permanent_recipient,stop,invalid_destination
            error,355,undelivered,permanent_message,stop,too_long
            error,368,undelivered,config,failover,sender_invalid
            error,541,undelivered,transient_provider,throttle,throttled_carrier
            error,542,undelivered,config,failover,quota_exhausted
            error,603,undelivered,permanent_recipient,stop_suppress,opted_out
            error,604,undelivered,transient_provider,failover,blocked_by_carrier
            error,607,undelivered,permanent_message,failover_once,spam_filtered
            error,608,undelivered,permanent_recipient,stop,fraud_blocked
            error,609,undelivered,permanent_recipient,stop,fraud_blocked
            error,2052,undelivered,permanent_recipient,stop,blocked_by_carrier
            error,2053,undelivered,permanent_recipient,stop,blocked_by_carrier
            error,3041,undelivered,permanent_recipient,stop,deactivated_number
            error,4099,undelivered,config,failover,quota_exhausted
            error,4100,canceled,none,none,canceled
            error,4101,expired,transient_recipient,failover_channel,expired
            error,4103,undelivered,transient_recipient,throttle,throttled_recipient
            error,4104,undelivered,transient_recipient,throttle,throttled_recipient
            error,4202,undelivered,config,failover,quota_exhausted
            error,345,undelivered,transient_provider,failover,no_route
            error,488,undelivered,config,failover,sender_unregistered
            error,632,undelivered,transient_provider,failover,carrier_error
            error,633,undelivered,transient_provider,failover,carrier_error
            error,811,expired,transient_recipient,failover_channel,expired
            error,815,undelivered,transient_provider,failover,carrier_error
            error,2048,undelivered,transient_provider,failover,carrier_error
            error,2050,undelivered,permanent_recipient,stop_suppress,do_not_disturb
            error,4097,undelivered,transient_provider,failover,provider_error
            error,4098,expired,transient_recipient,failover_channel,expired
            error,5492,undelivered,none,none,duplicate
            # Published as permanent, although the handset or the operator is in trouble for a while only.
            override,628,undelivered,transient_recipient,failover,unreachable_temporary
            override,630,undelivered,transient_provider,failover,carrier_error
            override,631,undelivered,transient_provider,failover,carrier_error
            """
    )
}
