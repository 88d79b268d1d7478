// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import LodgeCommands

// The guard is this same program under another name: it must not touch anything that the broker sets up.
if GuardProgram.isWanted(arguments: CommandLine.arguments) { exit(GuardProgram.main()) }
StandardDescriptors.fill()
DescriptorLimit.raise()
exit(await LodgeCommand.execute(Array(CommandLine.arguments.dropFirst()), programPath: CommandLine.arguments.first))
