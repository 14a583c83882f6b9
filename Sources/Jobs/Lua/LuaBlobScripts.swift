/// Scripts of the small blobs that live in Redis.
enum LuaBlobScripts {
    /// Keeps bytes under a budget; blobs that nobody used for the retention go first.
    ///
    /// - Arguments: digest, bytes, budget.
    /// - Reply: 'ok' or 'full'.
    /// - Atomic because the sum of sizes must hold while it is compared.
    static let put = #"""
        local digest, bytes, budget = take(), take(), takeNumber()
        if call('EXISTS', K.blob(digest)) == 1 then
          call('ZADD', K.blobUses(), now, digest) -- guard: blob-put-is-a-use
          return 'ok'
        end
        local function drop(old)
          local size = call('HGET', K.blobSizes(), old)
          if size then call('DECRBY', K.blobBytes(), size) end
          call('ZREM', K.blobUses(), old)
          call('HDEL', K.blobSizes(), old)
          call('UNLINK', K.blob(old))
        end
        local unused = upTo(K.blobUses(), now - LIMITS.retention)
        for _, old in ipairs(unused) do drop(old) end
        local kept = tonumber(call('GET', K.blobBytes()) or 0)
        if kept + #bytes > budget then return 'full' end -- guard: blob-budget
        call('SET', K.blob(digest), bytes)
        call('ZADD', K.blobUses(), now, digest)
        call('HSET', K.blobSizes(), digest, #bytes)
        call('INCRBY', K.blobBytes(), #bytes)
        return 'ok'
        """#

    /// Whether blobs are kept. Marks them as used. Arguments: digest. Reply: 1 or 0.
    static let contains = #"""
        local digest = take()
        if call('EXISTS', K.blob(digest)) == 0 then return 0 end
        call('ZADD', K.blobUses(), now, digest) -- guard: blob-use-is-marked
        return 1
        """#

    /// A blob's bytes, or null. Marks it as used. Arguments: digest.
    static let get = #"""
        local digest = take()
        local bytes = call('GET', K.blob(digest))
        if bytes then call('ZADD', K.blobUses(), now, digest) end -- guard: blob-read-is-a-use
        return bytes
        """#
}
