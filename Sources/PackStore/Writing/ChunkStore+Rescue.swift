import ChunkIndex
import WireFormat

/// What was saved must not stand on what a prune takes away meanwhile (docs/pruning.md, "Writers").
extension ChunkStore {
    /// The packs that hold what was saved and all that it stands on. Asked for once all is settled.
    package var reliedOn: Set<ObjectID> { Set(segmentsReliedOn.values) }

    private var segmentsReliedOn: [PackDirectory.SegmentName: ObjectID] {
        if let relied { return relied }
        for pack in own { reliance.needAll(of: pack) }
        let found = reliance.needed
        relied = found
        return found
    }

    /// Finds another pack for what lies in packs that will be deleted or are gone, or copies it out of
    /// those that are still there, sealed as it is. The packs that take their place must be looked at
    /// again.
    /// - Parameters:
    ///   - bad: packs not to be relied on.
    ///   - condemned: all packs that carry a tombstone.
    /// - Throws: `LostSegment` where something is nowhere any more.
    package func rescue(
        from bad: Set<ObjectID>, condemned: Set<ObjectID>,
        damaged: (ObjectName, any Error) -> Void
    ) throws {
        var segments = segmentsReliedOn
        let existing = try keeper.refresh(damaged: damaged)
        let good = existing.subtracting(condemned).subtracting(bad)
        let table = FrameTable(index.outlines, usable: good)
        let source = SegmentSource(context, index)
        for (name, pack) in segments.sorted(by: { $0.key < $1.key }) where bad.contains(pack) {
            if let holder = table.holder(of: name) {
                segments[name] = holder.pack
                continue
            }
            let segment = try source.segment(name)
            try writer(segment.envelope.header.contentClass).add(segment, new: 0)
        }
        let before = own
        try settle()
        let outlines = index.outlines
        for pack in own.subtracting(before) {
            for segment in outlines.outline(of: pack)?.segments ?? [] {
                segments[segment.name] = pack
            }
        }
        relied = segments
    }
}
