/*
 * reload.h: a new configuration in a running service.
 * Layer: master.
 * Written by: the master.
 */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

struct master;

/*
 * Reads everything again.  With any mistake all stays as it was.  Else new
 * workers are started with the new settings, and when they are at work the
 * old ones are asked to finish; what can't change live is named.
 */
void	reload(struct master *m);

/* From time to time: lets the old workers go once the new ones work. */
void	reload_step(struct master *m);

#endif
