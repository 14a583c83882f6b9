/// Scripts that say which large blobs are used, so that others can be removed from the origin.
///
/// The origin itself is no part of a transition: a blob is stored after `use` said yes, and removed
/// between `begin` and `end`. While it is being removed nobody stores or finds it.
enum LuaOriginScripts {
    /// Marks a large blob as used from now on.
    ///
    /// - Arguments: digest.
    /// - Reply: 'ok', or 'busy' while it is being removed.
    /// - Atomic because a blob must not be found between the decision to remove it and its end.
    static let use = #"""
        local digest = take()
        local ending = tonumber(call('ZSCORE', K.originRemovals(), digest) or 0)
        if ending > now then return 'busy' end -- guard: origin-use-waits
        call('ZADD', K.originUses(), now, digest) -- guard: origin-use-is-marked
        return 'ok'
        """#

    /// Large blobs that nobody used for the retention, longest unused first, at most a sweep's.
    static let unused = #"""
        return upTo(K.originUses(), now - LIMITS.retention)
        """#

    /// Begins to remove a blob.
    ///
    /// - Arguments: digest, milliseconds after which the removal counts as given up.
    /// - Reply: 'ok'; 'used' when it was used meanwhile; 'busy' when somebody else removes it.
    /// - Atomic because of two who remove, one may end while the other's blob is stored again.
    static let beginRemoval = #"""
        local digest, length = take(), takeNumber()
        local used = tonumber(call('ZSCORE', K.originUses(), digest) or now)
        if used > now - LIMITS.retention then return 'used' end -- guard: origin-removal-needs-age
        local ending = tonumber(call('ZSCORE', K.originRemovals(), digest) or 0)
        if ending > now then return 'busy' end -- guard: origin-removal-is-single
        call('ZADD', K.originRemovals(), now + length, digest)
        return 'ok'
        """#

    /// Ends a removal that was done. Arguments: digest.
    static let endRemoval = #"""
        local digest = take()
        call('ZREM', K.originUses(), digest)
        call('ZREM', K.originRemovals(), digest)
        return 'ok'
        """#

    /// Digests that one page of a job's inputs or results names.
    ///
    /// - Arguments: job, 'inputs' or 'results', cursor.
    /// - Reply: the next cursor ('0' at the end), then digests.
    static let named = #"""
        local job, kind, from = take(), take(), take()
        local function payload(id, kept)
          if kind == 'inputs' then return readSpec(id, job, kept).input end
          local t = {}
          readLife(t, kept)
          return t.result or ''
        end
        local key = kind == 'inputs' and K.tasks(job) or K.lives(job)
        local page = call('HSCAN', key, from, 'COUNT', 256)
        local reply = {page[1]}
        for i = 1, #page[2], 2 do
          local digest = string.match(payload(page[2][i], page[2][i + 1]), '^b%d+:(%x+)$')
          if digest then reply[#reply + 1] = digest end
        end
        return reply
        """#
}
