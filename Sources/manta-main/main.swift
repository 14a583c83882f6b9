import Commands
import Processes

// Before anything else is set up: a guard must start in milliseconds.
Guard.runIfAsked(CommandLine.arguments)
await CommandLineTool.run(CommandLine.arguments)
