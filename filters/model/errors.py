"""The root of every exception that is ours, and their tree (drawn here, held to the code by ``tests/test_house.py``).

Each name stands where what it speaks of is defined; what came from outside (``OSError``, ``ValueError``) is caught at
the boundary and told as one of these. A name in brackets is a second base: whoever catches that one catches ours too.

    TidegateError
      lists and text
        ListErrors (ValueError)             filters.lists.listsource
        ArtifactError (ValueError)          filters.lists.artifact
        LimitError (ValueError)             filters.model.limits
        FoldBound (ValueError)              filters.text.folding
        WeighBound (ValueError)             filters.lists.wordlist
        FoldTablesError (ValueError)        filters.text.tables
        WordListError                       gateway.words.errors
      configuration and generations
        ConfigError                         gateway.config.consistency.problems
        UnreadableError (ValueError)        gateway.config
        SurfaceError (ValueError)           gateway.surfaces.input.settings
        CompileFailed                       gateway.generation.generation
        ChangesLost                         gateway.generation.changes
        SaltUnreadable                      gateway.senders.salt
        OtherNumber                         gateway.node.folder_number
        UnknownPreset (KeyError)            gateway.presets.preset
        AlreadyThere (FileExistsError)      gateway.presets.laying
      requests, bodies and frames
        HTTPError                           gateway.http.wire.errors
        Uncommon                            gateway.http.wire.fields
        UpstreamError                       gateway.http.upstream.failure
        HandshakeError                      gateway.websocket.handshake
        BadProxyHeader                      gateway.http.accepting.proxy_protocol
        UnusablePair                        gateway.http.accepting.certificates
        Refused                             gateway.surfaces.input.reasons
      state
        BadUrl (ValueError)                 gateway.state.cold.topology
        NoServer                            gateway.state.cold.embedded
        EpochLost                           gateway.state.cold.governance_projection
        Overtaken                           gateway.state.cold.governance_projection
        ReadTooEarly                        gateway.state.cold.governance_projection
        EvictionRefused                     gateway.state.cold.eviction
        NotOurs                             gateway.state.cold.owner
        StateHandshakeError                 gateway.state.hot.server_link
        Unreadable                          gateway.state.hot.replies
      acts and backups
        DatabaseBehind                      gateway.control.acts.authority
        NoSuchMove                          gateway.control.cases.case_states
        NoSuchAppealMove                    gateway.control.appeals.appeal_states
        AppealRefused                       gateway.control.appeals.admissibility
        BackupError                         gateway.backup.backup_manifest
      journal
        Corrupt (ValueError)                gateway.journal.write.encoding
        JournalUnavailable                  gateway.journal.write.errors
        Locked (OSError)                    gateway.journal.write.errors
        Misplaced (OSError)                 gateway.journal.write.errors
        SyncFailed (OSError)                gateway.journal.write.errors
        Unattributed (ValueError)           gateway.journal.write.record
        Unexplained (ValueError)            gateway.journal.write.record
      journals of other nodes
        Garbled                             gateway.replicas.copying.fetched
        Doubted                             gateway.replicas.copying.folder_copy
        NotACopy                            gateway.replicas.copying.node_copy
        NoAnswer                            gateway.replicas.following.peer_client
        Barred                              gateway.replicas.following.peer_follower
      messages that wait for a person
        BadParking (ValueError)             gateway.parking.parked
        SealBroken                          gateway.parking.seal
        Unreleasable                        gateway.control.releasing.outgoing
      index
        IndexDamaged                        gateway.index.store.day_file
        NoRoom                              gateway.index.indexer
      mirror
        Damaged                             gateway.mirror.store.sealed
          PagesDiffer                       gateway.mirror.projector.bullet_projection
        ImportRefused                       gateway.mirror.upkeep.importing
      processes and people
        AlreadyRunning                      gateway.node.supervisor
        NotReady                            gateway.node.worker_pool
        CannotListen                        gateway.common.listening
          AddressTaken                      gateway.common.listening
          NoAddress                         gateway.demo.command
        ChannelError                        gateway.common.channel
        ControlError                        gateway.control.acts.refusal
          DatabaseUnavailable               gateway.control.acts.refusal
            OutcomeUnknown                  gateway.control.acts.refusal
        CallRefused                         gateway.control.api.client
        DatabaseInUse                       gateway.control.acts.refusal
"""


class TidegateError(Exception):
    """Something that this code refuses or gives up, and knows why."""

    __slots__ = ()  # the layout of Exception: a compiled class can stand on it, and on OSError beside it
