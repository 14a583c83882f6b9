// The guard alone, so that tests of rooms below `manta` need not build it.
import Processes

Guard.runIfAsked(CommandLine.arguments)
